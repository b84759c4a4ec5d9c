import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFilename, readUploadMetadata } from '../../../codec/upload/metadata.ts';
import { readUploadRequest, type UploadAction, type UploadProtocol } from '../../../codec/upload/request.ts';
import {
  informationalResponse,
  optionsHeaders,
  problemTypes,
  protocolHeaders,
  stateHeaders,
  type UploadLimits,
} from '../../../codec/upload/response.ts';
import { StreamsError, toStreamsError } from '../../../core/errors.ts';
import { isId } from '../../../core/ids.ts';
import type { Logger } from '../../../core/log.ts';
import type { AssetControl } from '../asset-control.ts';
import { type AssetRecord, advance, readRecord, sourceFile, writeRecord } from '../asset-record.ts';
import { diskFull, type MediaStore } from '../media-store.ts';
import { type Problem, problemOf, send, sendProblem } from './answer.ts';
import { receiveBody } from './receive.ts';
import { UploadLocks } from './upload-locks.ts';

export type UploadsOptions = {
  readonly store: MediaStore;
  readonly control: AssetControl;
  readonly logger: Logger;
  readonly limits: UploadLimits;
  /** The upload is whole. */
  uploaded(record: AssetRecord): Promise<void>;
  /** The client wants it no more. */
  cancelled(record: AssetRecord): Promise<void>;
};

type Exchange = {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly protocol: UploadProtocol;
  readonly apiKey: string;
  readonly remoteAddress: string;
};

/** A connection that brings nothing for so long has lost its client. */
const idleTimeoutMs = 60_000;
/** A client is told of its progress at such steps. */
const progressBytes = 4 << 20;
/** Kept free for everything else on the disk. */
const reserveBytes = 256 << 20;

/**
 * `/uploads` and `/uploads/<asset>`: tus 1.0 and the IETF's resumable uploads. An upload is the media of one asset and has its id.
 * Where it stands is the size of its file, so it outlives this process.
 */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #locks = new UploadLocks();

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** Answers whatever is asked below `/uploads`. Never rejects. */
  async handle(incoming: IncomingMessage, outgoing: ServerResponse, remoteAddress: string): Promise<void> {
    incoming.on('error', () => undefined);
    outgoing.on('error', () => undefined);
    incoming.setTimeout(idleTimeoutMs, () => incoming.destroy());
    const { logger, limits } = this.#options;
    const { protocol, action } = readUploadRequest(incoming.method ?? 'GET', incoming.headers);
    try {
      if (incoming.method === 'OPTIONS') {
        send(outgoing, 204, { ...optionsHeaders(limits), ...preflight(incoming) });
        return;
      }
      if (action.kind === 'refused') {
        const { status, message } = action;
        sendProblem(
          outgoing,
          { status, code: 'INVALID_ARGUMENT', message },
          { ...protocolHeaders(protocol), 'tus-version': '1.0.0' },
        );
        return;
      }
      const { pathname } = new URL(incoming.url ?? '/', 'http://engine');
      const apiKey = /^Bearer +(\S+)$/i.exec(incoming.headers.authorization ?? '')?.[1];
      if (apiKey === undefined)
        throw new StreamsError('UNAUTHORIZED', 'an API key is needed', {
          hint: 'Send Authorization: Bearer ak_live_… of a key with the scope streams:write.',
        });
      const exchange = { incoming, outgoing, protocol, apiKey, remoteAddress };
      if (action.kind === 'create') await this.#create(exchange, pathname, action);
      else await this.#existing(exchange, pathname, action);
    } catch (thrown) {
      const error = toStreamsError(thrown);
      if (error.code === 'INTERNAL') logger.error('upload request failed', { detail: error.message });
      this.#problem({ outgoing, protocol }, problemOf(error));
    }
  }

  /** Ends all requests in flight; what came of them is kept. */
  close(): Promise<void> {
    return this.#locks.close();
  }

  async #create(
    exchange: Exchange,
    pathname: string,
    { length, complete, body }: Extract<UploadAction, { kind: 'create' }>,
  ): Promise<void> {
    const { incoming, outgoing, protocol, apiKey, remoteAddress } = exchange;
    const { store, control, logger, limits } = this.#options;
    if (!/^\/uploads\/?$/.test(pathname)) throw new StreamsError('NOT_FOUND', 'uploads are created at /uploads');
    const inBody = Number(incoming.headers['content-length'] ?? 0);
    const known = length ?? (complete === true && body ? inBody || undefined : undefined);
    await this.#checkRoom(known ?? inBody, 0);
    const { name, filename, assetId } = describe(incoming);
    const asset = await control.assetFor(apiKey, remoteAddress, {
      name,
      // Of a length that nobody knows: as long as it may be.
      bytes: known ?? limits.maxBytes,
      ...(assetId !== undefined && { assetId }),
    });
    await store.create(asset.assetId, asset.playbackId);
    const record: AssetRecord = {
      version: 1,
      ...asset,
      origin: 'upload',
      state: 'uploading',
      length: length ?? null,
      filename,
      createdAt: Date.now(),
      attempts: 0,
    };
    (await store.write(asset.assetId, sourceFile, 0)).end();
    await writeRecord(store, record);
    logger.info('upload begins', { assetId: record.assetId, bytes: known, remoteAddress });
    const location = `/uploads/${record.assetId}`;
    const early = informationalResponse(protocol, { location, limits });
    if (early !== undefined) outgoing.socket?.write(early);
    const over = await this.#locks.acquire(record.assetId, () => incoming.destroy());
    try {
      if (body) await this.#receive(exchange, record, 0, complete, { status: 201, location });
      else if (length === 0) await this.#received(exchange, record, 0, true, { status: 201, location });
      else send(outgoing, 201, { location, ...this.#state(protocol, record, 0, Date.now()) });
    } finally {
      over();
    }
  }

  async #existing(
    exchange: Exchange,
    pathname: string,
    action: Exclude<UploadAction, { kind: 'create' }>,
  ): Promise<void> {
    const { incoming, outgoing, protocol, apiKey, remoteAddress } = exchange;
    const { store, control } = this.#options;
    const orgId = await control.mayUpload(apiKey, remoteAddress);
    const assetId = pathname.slice('/uploads/'.length);
    const known = isId('as', assetId) ? await readRecord(store, assetId) : undefined;
    // An upload of another org is not there.
    if (known === undefined || known.orgId !== orgId || known.origin !== 'upload') throw noUpload();
    const over = await this.#locks.acquire(assetId, () => incoming.destroy());
    try {
      // It may have changed while another request had the lock.
      const record = await readRecord(store, assetId);
      if (record === undefined) throw noUpload();
      if (action.kind === 'append') await this.#append(exchange, record, action);
      else if (action.kind === 'cancel') {
        if (record.state === 'uploading') await this.#options.cancelled(record);
        send(outgoing, 204, protocolHeaders(protocol));
      } else {
        const { offset, writtenAt } = await this.#offset(record);
        send(outgoing, protocol.name === 'tus' ? 200 : 204, this.#state(protocol, record, offset, writtenAt));
      }
    } finally {
      over();
    }
  }

  async #append(
    exchange: Exchange,
    record: AssetRecord,
    { offset, length, complete }: Extract<UploadAction, { kind: 'append' }>,
  ): Promise<void> {
    const { outgoing, protocol } = exchange;
    const stands = await this.#offset(record);
    const wrong = (problem: Omit<Problem, 'code'>) =>
      sendProblem(
        outgoing,
        { code: 'CONFLICT', ...problem },
        this.#state(protocol, record, stands.offset, stands.writtenAt),
      );
    const { completed, mismatchingOffset, inconsistentLength } = problemTypes;
    if (record.state !== 'uploading')
      return wrong({ status: protocol.name === 'tus' ? 403 : 400, message: 'the upload is complete', type: completed });
    if (offset !== stands.offset)
      return wrong({
        status: 409,
        message: `the upload stands at ${stands.offset} bytes, not at ${offset}`,
        type: mismatchingOffset,
        extra: { 'expected-offset': stands.offset, 'provided-offset': offset },
      });
    if (length !== undefined && length !== (record.length ?? length))
      return wrong({
        status: 400,
        message: `the length was ${record.length} bytes before, and is ${length} now`,
        type: inconsistentLength,
      });
    if (length !== undefined && record.length === null) {
      await this.#checkRoom(length, offset);
      const { apiKey, remoteAddress } = exchange;
      await this.#options.control.mayUpload(apiKey, remoteAddress, { assetId: record.assetId, bytes: length });
      record.length = length;
      await writeRecord(this.#options.store, record);
    }
    await this.#checkRoom(offset + Number(exchange.incoming.headers['content-length'] ?? 0), offset);
    await this.#receive(exchange, record, offset, complete, { status: protocol.name === 'tus' ? 204 : 200 });
  }

  async #receive(
    exchange: Exchange,
    record: AssetRecord,
    offset: number,
    complete: boolean | undefined,
    answer: { status: number; location?: string },
  ): Promise<void> {
    const { store, limits } = this.#options;
    const { assetId } = record;
    const limit = Math.min(record.length ?? limits.maxBytes, limits.maxBytes);
    const target = { assetId, file: sourceFile, offset, limit };
    const { size, whole } = await receiveBody(exchange.incoming, store, target, tellProgress(exchange, offset));
    if (exchange.outgoing.destroyed && !whole) return;
    const done = whole && (complete ?? (record.length !== null && size === record.length));
    await this.#received(exchange, record, size, done, answer);
  }

  async #received(
    { outgoing, protocol }: Exchange,
    record: AssetRecord,
    size: number,
    done: boolean,
    { status, location }: { status: number; location?: string },
  ): Promise<void> {
    if (done && record.length !== null && record.length !== size) {
      const message = `the upload was to have ${record.length} bytes, and has ${size}`;
      const type = problemTypes.inconsistentLength;
      sendProblem(outgoing, { status: 400, code: 'CONFLICT', message, type }, protocolHeaders(protocol));
      return;
    }
    if (done) {
      await advance(this.#options.store, record, 'received', { length: size });
      this.#options.logger.info('upload is complete', { assetId: record.assetId, bytes: size });
      await this.#options.uploaded(record);
    }
    const headers = this.#state(protocol, record, size, Date.now());
    send(outgoing, status, { ...headers, ...(location !== undefined && { location }) });
  }

  async #offset(record: AssetRecord): Promise<{ offset: number; writtenAt: number }> {
    if (record.state !== 'uploading') return { offset: record.length ?? 0, writtenAt: Date.now() };
    const found = await this.#options.store.stat(record.assetId, sourceFile);
    return { offset: found?.bytes ?? 0, writtenAt: found?.writtenAt ?? record.createdAt };
  }

  #state(protocol: UploadProtocol, record: AssetRecord, offset: number, writtenAt: number): Record<string, string> {
    const { limits } = this.#options;
    const complete = record.state !== 'uploading';
    const expiresAt = writtenAt + limits.maxAgeSeconds * 1000;
    return stateHeaders(protocol, { offset, length: record.length ?? undefined, complete, expiresAt }, limits);
  }

  /** `bytes`: of the whole upload, as far as known; `there`: of it, those that lie on the disk already. */
  async #checkRoom(bytes: number, there: number): Promise<void> {
    const { limits, store } = this.#options;
    if (bytes > limits.maxBytes)
      throw new StreamsError('LIMIT_EXCEEDED', `an upload may have ${limits.maxBytes} bytes, not ${bytes}`);
    if ((await store.freeBytes()) - reserveBytes < bytes - there)
      throw new StreamsError('DISK_FULL', `${diskFull}: ${bytes - there} more bytes do not fit`);
  }

  #problem({ outgoing, protocol }: { outgoing: ServerResponse; protocol: UploadProtocol }, problem: Problem): void {
    sendProblem(outgoing, problem, {
      ...protocolHeaders(protocol),
      ...(problem.status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(problem.status === 503 && { 'retry-after': '1' }),
    });
  }
}

/** Tells the client now and then what it need not send again (104 with Upload-Offset). */
function tellProgress({ outgoing, protocol }: Exchange, offset: number): (written: number) => void {
  let told = offset;
  return (written) => {
    if (written - told < progressBytes || outgoing.headersSent) return;
    const head = informationalResponse(protocol, { offset: written });
    if (head !== undefined) outgoing.socket?.write(head);
    told = written;
  };
}

function noUpload(): StreamsError {
  return new StreamsError('NOT_FOUND', 'there is no such upload', { hint: 'It may have expired: begin anew.' });
}

/** What the client calls it. The asset may be named in the query or the metadata, so that an asset made before is filled. */
function describe(incoming: IncomingMessage): { name: string; filename: string; assetId: string | undefined } {
  const header = (name: string) => {
    const value = incoming.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const metadata = readUploadMetadata(header('upload-metadata'));
  const { searchParams } = new URL(incoming.url ?? '/', 'http://engine');
  const filename = tidy(metadata.get('filename') ?? readFilename(header('content-disposition')) ?? '');
  const name = tidy(searchParams.get('name') ?? metadata.get('name') ?? '') || filename || 'upload';
  return { name, filename, assetId: searchParams.get('asset') ?? metadata.get('asset') };
}

/** As a name may be: no control characters, at most 200 of the others. Never part of a path. */
function tidy(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it takes out
  return [...text.replace(/[\u0000-\u001f\u007f]/g, ' ').trim()].slice(0, 100).join('').trim();
}

function preflight(incoming: IncomingMessage): Record<string, string> {
  return {
    'access-control-allow-methods': 'POST, HEAD, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers': incoming.headers['access-control-request-headers'] ?? '*',
    'access-control-max-age': '86400',
  };
}
