import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A host of its own on this machine: a network namespace. */
export type Host = {
  /** In the network that joins the hosts. */
  readonly address: string;
  /** From the test to this host alone. */
  readonly management: string;
  /** Before a command that shall run there. */
  readonly within: readonly string[];
  /** Cuts the host off from the others, or joins it again; the test still reaches it. */
  setLink(state: 'up' | 'down'): Promise<void>;
};

async function ip(...args: string[]): Promise<void> {
  await execute('ip', args, { timeout: 10_000 });
}

/** Why this machine has no network namespaces for us; undefined: it has. */
export async function whyNoHosts(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  const name = `streams-try-${randomBytes(3).toString('hex')}`;
  try {
    await ip('netns', 'add', name);
    await ip('netns', 'exec', name, 'ip', 'link', 'add', 'try0', 'type', 'veth', 'peer', 'name', 'try1');
    return undefined;
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1);
  } finally {
    await ip('netns', 'delete', name).catch(() => {});
  }
}

/** Hosts on one switch. What was made is taken away by `end`, also after a failure on the way. */
export class Hosts {
  readonly #id = randomBytes(2).toString('hex');
  readonly #namespaces: string[] = [];

  async make(count: number): Promise<Host[]> {
    const bridge = await this.#namespace('switch');
    await ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge');
    await ip('-n', bridge, 'link', 'set', 'br0', 'up');
    const hosts: Host[] = [];
    for (let i = 1; i <= count; i++) hosts.push(await this.#host(bridge, i));
    return hosts;
  }

  /** A namespace takes its interfaces along, and with them their other ends. */
  async end(): Promise<void> {
    for (const name of this.#namespaces.splice(0)) await ip('netns', 'delete', name);
  }

  async #namespace(what: string): Promise<string> {
    const name = `streams-${this.#id}-${what}`;
    await ip('netns', 'add', name);
    this.#namespaces.push(name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    return name;
  }

  async #host(bridge: string, i: number): Promise<Host> {
    const name = await this.#namespace(`host${i}`);
    const address = `10.213.79.${i}`;
    const [here, management] = [`10.213.8${i}.1`, `10.213.8${i}.2`];
    await ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `port${i}`, 'netns', bridge);
    await ip('-n', bridge, 'link', 'set', `port${i}`, 'master', 'br0', 'up');
    await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    const outside = `st${this.#id}m${i}`;
    await ip('-n', name, 'link', 'add', 'mgmt0', 'type', 'veth', 'peer', 'name', outside, 'netns', String(process.pid));
    await ip('-n', name, 'addr', 'add', `${management}/30`, 'dev', 'mgmt0');
    await ip('-n', name, 'link', 'set', 'mgmt0', 'up');
    await ip('addr', 'add', `${here}/30`, 'dev', outside);
    await ip('link', 'set', outside, 'up');
    return {
      address,
      management,
      within: ['ip', 'netns', 'exec', name],
      setLink: (state) => ip('-n', name, 'link', 'set', 'eth0', state),
    };
  }
}
