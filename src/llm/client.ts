import OpenAI, { type ClientOptions } from 'openai';
import type { Transport } from './transport.js';

type BuildRequest = OpenAI['buildRequest'];

/**
 * The openai SDK over a transport of ours, and with the headers of a path built once: both are the same for every call,
 * and made anew they took most of its time. Errors, their kinds and the parsing of answers stay the SDK's.
 */
export class LeanOpenAI extends OpenAI {
  private readonly transport: Transport;
  private readonly built = new Map<string, { url: string; headers: Record<string, string>; timeout: number }>();

  constructor(options: ClientOptions, transport: Transport) {
    // Repeats, pauses and time limits are ours: the SDK's timer ends with the headers, so that a body that never ends
    // would hang a run.
    super({ ...options, maxRetries: 0, logLevel: 'off' });
    this.transport = transport;
  }

  override async buildRequest(...[options, retry]: Parameters<BuildRequest>): ReturnType<BuildRequest> {
    const key = `${options.method} ${options.path}`;
    let same = this.built.get(key);
    if (same === undefined) {
      const { req, url, timeout } = await super.buildRequest(options, retry);
      same = { url, timeout, headers: Object.fromEntries(new Headers(req.headers)) };
      this.built.set(key, same);
    }
    const body = options.body === undefined || options.body === null ? {} : { body: JSON.stringify(options.body) };
    // The type is of the SDK's own headers; whatever reads them takes a plain object too.
    const req = { method: options.method, headers: same.headers, ...body };
    return { req, url: same.url, timeout: same.timeout } as unknown as Awaited<ReturnType<BuildRequest>>;
  }

  override async fetchWithTimeout(...[url, init]: Parameters<OpenAI['fetchWithTimeout']>): Promise<Response> {
    const { method = 'get', headers, body } = init ?? {};
    const answer = await this.transport.send(
      String(url),
      method.toUpperCase(),
      headers as Record<string, string>,
      typeof body === 'string' ? body : undefined,
    );
    return answer as unknown as Response;
  }
}
