import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { APIConnectionError, APIError } from 'openai';
import { z } from 'zod';
import { Problem } from '../problem.js';
import { LeanOpenAI } from './client.js';
import type { Message } from './question.js';
import { BudgetReached, type Spending } from './spending.js';
import { Transport } from './transport.js';

export interface EndpointSettings {
  /** Where the endpoint stands in the pipeline file, and what stands there: all that messages may show of it. */
  option: string;
  written: string;
  url: string;
  key: string | undefined;
  model: string;
  timeoutSeconds: number;
  attempts: number;
  /** At most so many at a time. */
  connections?: number;
  /** First pause after a failure; it doubles each time up to a minute. */
  pauseSeconds?: number;
  signal: AbortSignal;
}

export interface Reply {
  /** null: the server refused this very request (too long, not acceptable), and would again. */
  content: string | null;
  refusal?: string;
  tokens: [input: number, output: number];
}

/** As the API takes it: `{type: 'json_schema', json_schema: {name, strict, schema}}`. */
export interface ResponseFormat {
  type: 'json_schema';
  json_schema: { name: string; strict: boolean; schema: { [key: string]: unknown } };
}

const completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
});
const modelList = z.object({ data: z.array(z.object({ id: z.string() })) });
const longestPauseSeconds = 60;

/** An OpenAI-compatible server that fails now and then: every request is repeated until it is answered as a whole. */
export class Endpoint {
  /** Requests repeated because the server failed. */
  retries = 0;
  private readonly client: LeanOpenAI;
  private readonly settings: EndpointSettings;
  private readonly spending: Spending;
  private servedModel: string;
  private pausedUntil = 0;

  constructor(settings: EndpointSettings, spending: Spending) {
    this.settings = settings;
    this.spending = spending;
    this.servedModel = settings.model;
    const { connections = 256, timeoutSeconds, signal } = settings;
    this.client = new LeanOpenAI(
      { baseURL: checkedUrl(settings), apiKey: settings.key ?? 'none', organization: null, project: null },
      new Transport({ connections, timeoutSeconds, signal }),
    );
  }

  /** Asks which models there are, so that a wrong URL, key or name stops the run before anything is spent. */
  async connect(): Promise<void> {
    const answer = await this.repeat(
      () => 'models',
      () => this.client.get('/models'),
    );
    const list = modelList.safeParse(answer);
    if (!list.success)
      throw this.problem('does not answer like an OpenAI-compatible server', 'its list of models is none');
    const ids = list.data.data.map(({ id }) => id);
    const served =
      ids.find((id) => id === this.settings.model) ??
      ids.find((id) => shortName(id) === shortName(this.settings.model));
    if (served === undefined) {
      throw new Problem(`the endpoint does not serve the model ${this.settings.model}`, {
        where: this.where,
        items: ids.slice(0, 20).map((id) => `it serves  ${this.scrub(shownModel(id))}`),
        try: 'write one of these names as model, or start the server with --served-model-name',
      });
    }
    this.servedModel = served;
  }

  /** One chat completion at temperature 0. `format` holds the answer to a JSON Schema where the server can. */
  async ask(messages: Message[], answerTokens: number, format: ResponseFormat | null): Promise<Reply> {
    // A token is at least one byte, and a template adds a few around each message.
    const bound = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content) + 16, 64);
    const identity = () => JSON.stringify(messages);
    try {
      return await this.repeat(identity, async () => {
        const reservation = await this.spending.reserve(bound, answerTokens);
        try {
          const answer = await this.client.chat.completions.create({
            model: this.servedModel,
            messages,
            temperature: 0,
            seed: 42,
            max_tokens: answerTokens,
            ...(format === null ? {} : { response_format: format }),
          });
          const { choices, usage } = completion.parse(answer);
          const input = usage?.prompt_tokens ?? bound;
          const output = usage?.completion_tokens ?? answerTokens;
          this.spending.settle(reservation, { input, output });
          return { content: choices[0]?.message.content ?? '', tokens: [input, output] };
        } catch (error) {
          if (error instanceof APIError && error.status !== undefined) this.spending.settle(reservation, null);
          else this.spending.giveUp(reservation);
          throw error;
        }
      });
    } catch (error) {
      if (error instanceof Refused) return { content: null, refusal: error.message, tokens: [0, 0] };
      throw error;
    }
  }

  /** `request` until it is answered. Pauses double, are spread by the request's own hash, and obey Retry-After. */
  private async repeat<T>(identity: () => string, request: () => Promise<T>): Promise<T> {
    const { attempts, signal, pauseSeconds = 0.5 } = this.settings;
    for (let attempt = 1; ; attempt += 1) {
      await this.waitUntil(this.pausedUntil);
      try {
        return await request();
      } catch (error) {
        signal.throwIfAborted();
        const failure = this.judge(error);
        if (attempt >= attempts) {
          throw this.problem(
            `failed ${attempts} times on one question`,
            failure.what,
            'the same command goes on where it stopped',
          );
        }
        this.retries += 1;
        const spread = 0.5 + shareOf(`${identity()} ${attempt}`) / 2;
        const pause = Math.min(longestPauseSeconds, pauseSeconds * 2 ** (attempt - 1)) * spread;
        // A server that asks for time asks it of everybody.
        if (failure.retryAfter !== null)
          this.pausedUntil = Math.max(this.pausedUntil, Date.now() + failure.retryAfter * 1000);
        await this.waitUntil(Date.now() + pause * 1000);
      }
    }
  }

  private async waitUntil(time: number): Promise<void> {
    const milliseconds = time - Date.now();
    if (milliseconds > 0) await wait(milliseconds, undefined, { signal: this.settings.signal });
  }

  /** What a failure means: to be repeated (returned), or thrown as what stops the run or settles the question. */
  private judge(error: unknown): { what: string; retryAfter: number | null } {
    const retry = (what: string, retryAfter: number | null = null) => ({ what, retryAfter });
    if (error instanceof BudgetReached) throw error;
    if (error instanceof APIConnectionError) return retry(causeOf(error));
    if (error instanceof z.ZodError) return retry('an answer without choices, or that is no answer');
    if (error instanceof SyntaxError) return retry('an answer that is not JSON');
    if (!(error instanceof APIError) || error.status === undefined) {
      throw error;
    }
    const { status } = error;
    const said = this.scrub(`${status} ${messageOf(error)}`);
    if (status === 401 || status === 403) {
      throw this.problem(
        'refuses the key',
        said,
        `check the variable that ${this.optionBeside('key')} names (default OPENAI_API_KEY)`,
      );
    }
    if (status === 404 || (status >= 300 && status < 400)) {
      throw this.problem('has no such address or model', said, 'the URL ends in /v1 with most servers');
    }
    if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500) {
      return retry(said, retryAfterSeconds(error));
    }
    throw new Refused(said);
  }

  /** Where the model stands in the pipeline file. */
  get modelOption(): string {
    return this.optionBeside('model');
  }

  private optionBeside(name: string): string {
    return beside(this.settings.option, name);
  }

  private get where(): string {
    return `${this.settings.option}: ${this.settings.written}`;
  }

  private problem(what: string, found: string, mend?: string): Problem {
    return new Problem(`the endpoint ${what}`, {
      where: this.where,
      found: this.scrub(found),
      ...(mend === undefined ? {} : { try: mend }),
    });
  }

  /** Servers repeat keys and addresses in their messages. */
  private scrub(text: string): string {
    let clean = text;
    for (const secret of [this.settings.key, this.settings.url, safeHost(this.settings.url)]) {
      if (secret !== undefined && secret.length > 2) clean = clean.replaceAll(secret, '***');
    }
    return clean.length > 300 ? `${clean.slice(0, 300)}…` : clean;
  }
}

/** The server will not answer this request, however often it is asked. */
class Refused extends Error {}

// ---------------------------------------------------------------------------------------------------------------------

function checkedUrl(settings: EndpointSettings): string {
  let url: URL;
  try {
    url = new URL(settings.url);
  } catch {
    throw new Problem(`${settings.option} is no URL`, {
      where: settings.written,
      try: 'http://127.0.0.1:8000/v1, or a reference to the environment that holds such a URL',
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Problem(`${settings.option} must begin with http:// or https://`, { where: settings.written });
  }
  if (url.username !== '' || url.password !== '') {
    throw new Problem(`${settings.option} holds a user or a password`, {
      where: settings.written,
      try: `take them out; a key goes into the variable that ${beside(settings.option, 'key')} names`,
    });
  }
  return settings.url.replace(/\/+$/, '');
}

/** Between 0 and 1, by the text's hash. */
function shareOf(text: string): number {
  return Number.parseInt(createHash('sha256').update(text).digest('hex').slice(0, 6), 16) / 2 ** 24;
}

/** `classify.endpoint` and `key`: `classify.key`. */
function beside(option: string, name: string): string {
  return option.replace(/[^.]*$/, name);
}

function safeHost(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** llama.cpp calls its model by the path of its file. */
function shownModel(id: string): string {
  return /^([/\\]|[A-Za-z]:\\)/.test(id) ? shortName(id) : id;
}

function shortName(id: string): string {
  return (id.split(/[/\\]/).at(-1) ?? id).replace(/\.gguf$/i, '');
}

function messageOf(error: APIError): string {
  return error.message.replace(/^\d{3} /, '').replace(/\s+/g, ' ');
}

function causeOf(error: Error): string {
  let deepest: Error = error;
  while (deepest.cause instanceof Error) deepest = deepest.cause;
  const code = (deepest as NodeJS.ErrnoException).code;
  return code === undefined ? deepest.message : `${deepest.message} (${code})`;
}

function retryAfterSeconds(error: APIError): number | null {
  const text = error.headers?.get('retry-after');
  if (text === null || text === undefined) return null;
  const seconds = Number(text);
  const value = Number.isFinite(seconds) ? seconds : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(value) ? Math.min(3600, Math.max(0, value)) : null;
}
