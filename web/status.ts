import { fetchEndpoints } from './endpoints.ts';

const refreshMs = 5000;

function report(name: 'control' | 'relay', ok: boolean, text: string): void {
  document.getElementById(`${name}-dot`)!.dataset.ok = String(ok);
  document.getElementById(`${name}-text`)!.textContent = text;
}

async function refresh(): Promise<void> {
  const healthy = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(3000) }).then(
    ({ ok }) => ok,
    () => false,
  );
  report('control', healthy, healthy ? location.origin : 'not answering');
  await fetchEndpoints().then(
    ({ relayUrl }) => report('relay', true, relayUrl),
    () => report('relay', false, 'unknown'),
  );
  setTimeout(() => void refresh(), refreshMs);
}

void refresh();
