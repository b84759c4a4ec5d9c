/** What can be chosen; `chosen` undefined: the player chooses. */
export type Qualities = { readonly names: readonly string[]; readonly chosen: string | undefined };

/** The menu of renditions: hidden where there is nothing to choose. `choose` is called with undefined for "Auto". */
export class QualityMenu {
  readonly #select: HTMLSelectElement;
  #shown = '';

  constructor(select: HTMLSelectElement, choose: (name: string | undefined) => void) {
    this.#select = select;
    select.addEventListener('change', () => choose(select.value === '' ? undefined : select.value));
  }

  show({ names, chosen }: Qualities): void {
    const key = names.join(' ');
    if (key !== this.#shown) {
      this.#shown = key;
      const option = (value: string, label: string) => new Option(label, value);
      this.#select.replaceChildren(
        option('', 'Auto'),
        ...names.map((name) => option(name, name.replace(/^video\//, ''))),
      );
    }
    this.#select.hidden = names.length < 2;
    if (document.activeElement !== this.#select) this.#select.value = chosen ?? '';
  }
}
