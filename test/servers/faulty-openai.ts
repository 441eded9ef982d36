import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export const faults = [
  'busy',
  'failure',
  'reset',
  'garbage',
  'html',
  'no choices',
  'wrong label',
  'half a body',
  'stall',
] as const;
export type Fault = (typeof faults)[number];

export interface FaultyServerOptions {
  /** What the model says of a prompt: the text between the fences. */
  answer(prompt: string, chat: ChatRequest): string;
  /** What it says where it is held to a schema. Default: `{"domain": …}`. */
  inSchema?(answer: string): string;
  /** Share of calls that go wrong, between 0 and 1; which ones is a hash of the prompt and of how often it was asked. */
  faultShare?: number;
  kinds?: readonly Fault[];
  models?: readonly string[];
  /** `ignored`: answers in plain words whatever schema is asked for. `refused`: status 400 to any schema. */
  schema?: 'taken' | 'ignored' | 'refused';
  /** Only requests with this key are served. */
  key?: string;
  /** Before an answer is sent, so that calls are in flight together. */
  delayMilliseconds?: number;
  /** Called before each answer is sent. */
  onAnswer?: (answerCount: number) => void;
}

export interface ChatRequest {
  model: string;
  messages: { role: string; content: string }[];
  temperature?: number;
  seed?: number;
  max_tokens?: number;
  response_format?: unknown;
}

/** An OpenAI-compatible server on this machine whose answers and faults are a function of what it is asked. */
export class FaultyServer {
  /** Calls by prompt, and among them those that were answered well and sent whole. */
  readonly calls = new Map<string, number>();
  readonly answers = new Map<string, number>();
  readonly requests: ChatRequest[] = [];
  /** Faults that were made, by kind. */
  readonly made = new Map<Fault, number>();
  url = '';
  answerCount = 0;
  inFlight = 0;
  mostInFlight = 0;
  private readonly options: FaultyServerOptions;
  private readonly server: Server;

  private constructor(options: FaultyServerOptions) {
    this.options = options;
    this.server = createServer((request, response) => {
      this.serve(request, response).catch((error: Error) => response.destroy(error));
    });
    this.server.keepAliveTimeout = 60_000;
  }

  static async start(options: FaultyServerOptions): Promise<FaultyServer> {
    const started = new FaultyServer(options);
    await new Promise<void>((resolve) => started.server.listen(0, '127.0.0.1', resolve));
    started.url = `http://127.0.0.1:${(started.server.address() as AddressInfo).port}/v1`;
    return started;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { key, models = ['judge-32b'] } = this.options;
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
      // Servers do repeat what they were sent.
      send(response, 401, { error: { message: `invalid key: ${request.headers.authorization}` } });
      return;
    }
    if (request.url === '/v1/models') {
      send(response, 200, { object: 'list', data: models.map((id) => ({ id })) });
      return;
    }
    if (request.url !== '/v1/chat/completions') {
      send(response, 404, { error: { message: 'no such path' } });
      return;
    }
    const body: Buffer[] = [];
    for await (const part of request) body.push(part as Buffer);
    const chat = JSON.parse(Buffer.concat(body).toString()) as ChatRequest;
    this.requests.push(chat);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    response.on('close', () => {
      this.inFlight -= 1;
    });
    await setTimeout(this.options.delayMilliseconds ?? 0);
    this.reply(chat, response);
  }

  private reply(chat: ChatRequest, response: ServerResponse): void {
    const prompt = promptOf(chat);
    const calls = (this.calls.get(prompt) ?? 0) + 1;
    this.calls.set(prompt, calls);
    const { schema = 'taken' } = this.options;
    if (chat.response_format !== undefined && schema === 'refused') {
      send(response, 400, { error: { message: 'response_format is not supported' } });
      return;
    }
    const label = this.options.answer(prompt, chat);
    const { inSchema = (domain: string) => JSON.stringify({ domain }) } = this.options;
    const content = chat.response_format !== undefined && schema === 'taken' ? inSchema(label) : label;
    const fault = this.faultFor(prompt, calls);
    if (fault !== null) {
      this.fail(fault, content, response);
      return;
    }
    this.answerCount += 1;
    this.options.onAnswer?.(this.answerCount);
    this.answers.set(prompt, (this.answers.get(prompt) ?? 0) + 1);
    send(response, 200, completion(content));
  }

  private faultFor(prompt: string, calls: number): Fault | null {
    const { faultShare = 0, kinds = faults } = this.options;
    const digest = createHash('sha256').update(`${calls} ${prompt}`).digest();
    if (digest.readUInt32LE(0) / 2 ** 32 >= faultShare) return null;
    const fault = kinds[digest.readUInt32LE(4) % kinds.length] ?? null;
    // A model that twice says something else has said it: only the first call may be answered with a wrong label.
    return fault === 'wrong label' && calls > 1 ? 'failure' : fault;
  }

  private fail(fault: Fault, content: string, response: ServerResponse): void {
    this.made.set(fault, (this.made.get(fault) ?? 0) + 1);
    const whole = completion(content);
    if (fault === 'busy') {
      response.setHeader('retry-after', '0');
      send(response, 429, { error: { message: 'too many requests' } });
    } else if (fault === 'failure') {
      send(response, 500, { error: { message: 'internal error' } });
    } else if (fault === 'reset') {
      response.destroy();
    } else if (fault === 'garbage') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [{"mess');
    } else if (fault === 'html') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Bad gateway</body></html>');
    } else if (fault === 'no choices') {
      send(response, 200, { ...whole, choices: [] });
    } else if (fault === 'wrong label') {
      send(response, 200, completion('{"domain": "Astrology"}'));
    } else if (fault === 'half a body') {
      const body = JSON.stringify(whole);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.write(body.slice(0, body.length / 2), () => response.destroy());
    } else {
      // Headers and the beginning of an answer, then nothing: a client that only waits for headers hangs here.
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    }
  }
}

/** The prompt that a request is about: what stands between the fences of its first user message. */
export function promptOf(chat: ChatRequest): string {
  const user = chat.messages.find((message) => message.role === 'user')?.content ?? '';
  return /^===== prompt \w+\n([\s\S]*)\n===== end of prompt \w+\n/.exec(user)?.[1] ?? user;
}

function completion(content: string): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
    usage: { prompt_tokens: 100, completion_tokens: 8, total_tokens: 108 },
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
