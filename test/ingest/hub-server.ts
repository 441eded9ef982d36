import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServedFile {
  content: Buffer;
  /** Large files are stored by SHA-256 and served from another host after a redirect. */
  lfs: boolean;
}

/** What happens to the next request of a kind instead of the usual answer. */
export type Fault =
  | { status: number; headers?: Record<string, string> }
  | { cutAfter: number }
  | { content: Buffer }
  | { ignoreRange: true };

/**
 * The part of the hub's protocol that a client meets: revision, paged tree, resolve with a redirect for LFS files, ranges,
 * ETag, x-error-code. The files' own host is a second port, which must never see the token.
 */
export class HubServer {
  readonly requests: {
    method: string;
    url: string;
    range: string | undefined;
    authorization: string | undefined;
    host: 'hub' | 'files';
  }[] = [];
  readonly commit = 'c0ffee'.padEnd(40, '0');
  /** Answers to come, by the first part of the URL that they are for. */
  readonly faults: { match: RegExp; fault: Fault }[] = [];
  files: Record<string, ServedFile> = {};
  name = 'someone/traces';
  token: string | null = null;
  gated = false;
  pageSize = 2;
  private readonly hub: Server;
  private readonly store: Server;

  constructor() {
    this.hub = createServer((request, response) => this.answer(request, response));
    this.store = createServer((request, response) => this.serveBlob(request, response));
  }

  async start(): Promise<void> {
    await Promise.all(
      [this.hub, this.store].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
    );
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.store]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.hub.address() as AddressInfo).port}`;
  }

  etag(path: string): string {
    const file = this.files[path] as ServedFile;
    if (file.lfs) return createHash('sha256').update(file.content).digest('hex');
    return createHash('sha1').update(`blob ${file.content.length}\0`).update(file.content).digest('hex');
  }

  /** The ranges that a blob was asked for by. */
  rangesOf(path: string): (string | undefined)[] {
    return this.requests
      .filter((each) => each.host === 'files' && each.url.includes(this.etag(path)))
      .map((each) => each.range);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.endpoint);
    this.note(request, 'hub');
    const fault = this.take(url.pathname);
    if (fault !== null && 'status' in fault) {
      refuse(response, fault.status, fault.headers);
      return;
    }
    const given = request.headers.authorization;
    if (given !== undefined && given !== `Bearer ${this.token}`) {
      refuse(response, 401, { 'x-error-message': 'Invalid credentials in Authorization header' });
      return;
    }
    if (this.token !== null && given === undefined) {
      refuse(response, 401, this.gated ? { 'x-error-code': 'GatedRepo' } : { 'x-error-code': 'RepoNotFound' });
      return;
    }
    const api = `/api/datasets/${this.name}`;
    const resolve = `/datasets/${this.name}/resolve/`;
    if (url.pathname.startsWith(`${api}/revision/`)) {
      this.revision(url.pathname.slice(`${api}/revision/`.length), response);
      return;
    }
    if (url.pathname.startsWith(`${api}/tree/${this.commit}`)) {
      this.tree(url, response);
      return;
    }
    if (url.pathname.startsWith(resolve)) {
      // Listing a gated set is allowed, its files are not.
      if (this.gated) {
        refuse(response, 403, { 'x-error-code': 'GatedRepo' });
        return;
      }
      this.resolve(decodeURIComponent(url.pathname.slice(resolve.length)), request, response, fault);
      return;
    }
    refuse(response, 404, { 'x-error-code': 'RepoNotFound' });
  }

  private revision(revision: string, response: ServerResponse): void {
    if (revision !== 'main' && revision !== this.commit) {
      refuse(response, 404, { 'x-error-code': 'RevisionNotFound' });
      return;
    }
    json(response, {
      _id: '1',
      id: this.name,
      sha: this.commit,
      private: false,
      gated: this.gated,
      downloads: 0,
      likes: 0,
      lastModified: '2026-01-01T00:00:00.000Z',
    });
  }

  private tree(url: URL, response: ServerResponse): void {
    const paths = Object.keys(this.files).sort();
    const start = Number(url.searchParams.get('cursor') ?? 0);
    const end = start + this.pageSize;
    if (end < paths.length) {
      url.searchParams.set('cursor', String(end));
      response.setHeader('link', `<${url.href}>; rel="next"`);
    }
    json(
      response,
      paths.slice(start, end).map((path) => {
        const file = this.files[path] as ServedFile;
        const lfs = file.lfs ? { lfs: { oid: this.etag(path), size: file.content.length, pointerSize: 130 } } : {};
        return {
          type: 'file',
          path,
          size: file.content.length,
          oid: file.lfs ? '1'.repeat(40) : this.etag(path),
          ...lfs,
        };
      }),
    );
  }

  private resolve(rest: string, request: IncomingMessage, response: ServerResponse, fault: Fault | null): void {
    const path = rest.slice(this.commit.length + 1);
    const file = this.files[path];
    if (!rest.startsWith(`${this.commit}/`) || file === undefined) {
      refuse(response, 404, { 'x-error-code': 'EntryNotFound' });
      return;
    }
    response.setHeader('x-repo-commit', this.commit);
    if (!file.lfs) {
      send(request, response, file.content, this.etag(path), fault);
      return;
    }
    response.setHeader('x-linked-etag', `"${this.etag(path)}"`);
    response.setHeader('x-linked-size', String(file.content.length));
    const host = `http://127.0.0.1:${(this.store.address() as AddressInfo).port}`;
    response.writeHead(302, { location: `${host}/blobs/${this.etag(path)}?path=${encodeURIComponent(path)}` }).end();
  }

  private serveBlob(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://files');
    this.note(request, 'files');
    const path = url.searchParams.get('path') ?? '';
    const fault = this.take(url.pathname);
    if (fault !== null && 'status' in fault) {
      refuse(response, fault.status, fault.headers);
      return;
    }
    const file = this.files[path];
    if (file === undefined) {
      refuse(response, 404);
      return;
    }
    send(request, response, file.content, this.etag(path), fault);
  }

  private note(request: IncomingMessage, host: 'hub' | 'files'): void {
    const { authorization, range } = request.headers;
    this.requests.push({ method: request.method ?? '', url: request.url ?? '', range, authorization, host });
  }

  private take(url: string): Fault | null {
    const at = this.faults.findIndex((each) => each.match.test(url));
    return at === -1 ? null : (this.faults.splice(at, 1)[0]?.fault ?? null);
  }
}

// ---------------------------------------------------------------------------------------------------------------------

function send(
  request: IncomingMessage,
  response: ServerResponse,
  whole: Buffer,
  etag: string,
  fault: Fault | null,
): void {
  const content = fault !== null && 'content' in fault ? fault.content : whole;
  const range =
    fault !== null && 'ignoreRange' in fault ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = range === null ? 0 : Number(range[1]);
  const end = range === null || range[2] === '' ? content.length : Math.min(content.length, Number(range[2]) + 1);
  if (range !== null && start >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const part = content.subarray(start, end);
  response.writeHead(range === null ? 200 : 206, {
    etag: `"${etag}"`,
    'content-length': part.length,
    'accept-ranges': 'bytes',
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end - 1}/${content.length}` }),
  });
  if (fault !== null && 'cutAfter' in fault) {
    response.write(part.subarray(0, fault.cutAfter), () => response.destroy());
    return;
  }
  response.end(part);
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end(JSON.stringify({ error: 'refused' }));
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
}
