import { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { cursorAfter } from '../store/page.ts';

type Fields = Record<string, unknown>;

/** Calls the operation with `input`, which it checks as ever. */
type Run = (input: unknown) => Promise<Fields>;

/** The field shapes of one operation as published SDKs (Python, Go, Rust, .NET) send and decode them. */
type Form = (run: Run, input: unknown) => Promise<unknown>;

const longestPage = 200;

/** How those SDKs name a page; REST goes by cursors. */
const pageFields = z.object({
  page: z.int().min(1).max(1_000_000).default(1),
  perPage: z.int().min(1).max(longestPage).default(50),
});

/** Theirs is the id that stands in `/publish/…` and `/playback/…`, and it is never null; the owner's own name is shown over REST. */
function asPublicInput(input: Fields): Fields {
  return { ...input, external_input_id: input.id };
}

const answersInput: Form = async (run, input) => asPublicInput(await run(input));

/** Operations that are not here have the same shapes in both forms. */
const forms: Record<string, Form> = {
  'liveInputs.create': answersInput,
  'liveInputs.get': answersInput,
  'liveInputs.enable': answersInput,
  'liveInputs.disable': answersInput,
  'liveInputs.rotateStreamKey': answersInput,
  'liveInputs.update': async (run, input) => {
    const { external_input_id: own, ...others } = asFields(input);
    // A client that sends back what it was shown does not mean to rename the input.
    const unchanged = own === undefined || own === others.id;
    return asPublicInput(await run(unchanged ? others : input));
  },
  'liveInputs.list': async (run, input) => {
    const { page, perPage, limit: _, cursor: __, ...filters } = asFields(input);
    const wanted = parsePage({ page, perPage });
    const skipped = (wanted.page - 1) * wanted.perPage;
    const found = await run({
      ...filters,
      limit: wanted.perPage,
      ...(skipped > 0 && { cursor: cursorAfter(skipped) }),
    });
    return (found.items as Fields[]).map(asPublicInput);
  },
  'liveInputs.mintPlaybackToken': async (run, input) => {
    const { expires_at: expiresAt, input: watched, ...minted } = await run(input);
    return {
      ...minted,
      expires_at: Math.floor(Date.parse(expiresAt as string) / 1000),
      input: (watched as Fields).id,
    };
  },
  // These clients ask once and take the answer for the whole list.
  'signingKeys.list': async (run, input) => {
    const { limit: _, cursor: __, ...filters } = asFields(input);
    const all: unknown[] = [];
    let cursor: unknown;
    do {
      const page = await run({ ...filters, limit: longestPage, ...(cursor ? { cursor } : {}) });
      all.push(...(page.items as unknown[]));
      cursor = page.nextCursor;
    } while (cursor);
    return all;
  },
};

/** Runs an operation and returns what published SDKs decode. Throws INVALID_ARGUMENT for a page that is none, and what `run` throws. */
export async function inTrpcForm(operation: string, run: Run, input: unknown): Promise<unknown> {
  const form = Object.hasOwn(forms, operation) ? forms[operation] : undefined;
  return form === undefined ? run(input) : form(run, input);
}

function asFields(input: unknown): Fields {
  if (input === undefined || input === null) return {};
  if (typeof input !== 'object' || Array.isArray(input))
    throw new StreamsError('INVALID_ARGUMENT', 'the input must be a JSON object');
  return input as Fields;
}

function parsePage(fields: Fields): z.output<typeof pageFields> {
  const parsed = pageFields.safeParse(fields);
  if (parsed.success) return parsed.data;
  const name = String(parsed.error.issues[0]!.path[0]);
  throw new StreamsError(
    'INVALID_ARGUMENT',
    name === 'perPage' ? `perPage: a whole number from 1 to ${longestPage}` : 'page: a whole number from 1 on',
  );
}
