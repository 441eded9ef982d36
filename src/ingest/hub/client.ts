import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../problem.js';

export interface HubSettings {
  /** `https://huggingface.co`, or `HF_ENDPOINT`. */
  endpoint: string;
  token: string | null;
  /** The cache that Python's clients use too. */
  cache: string;
  /** `HF_HUB_OFFLINE`: what the cache holds, and no request. */
  offline: boolean;
  /** Attempts at one request before it counts as failed. */
  attempts: number;
  /** Waits between attempts. */
  wait(milliseconds: number): Promise<void>;
}

/** The hub gave no answer, as opposed to one that refuses: what is wanted may be there all the same. */
export class HubSilent extends Problem {}

/** What the environment says, by the names that Python's `huggingface_hub` reads. */
export function hubSettings(environment: NodeJS.ProcessEnv = process.env): HubSettings {
  const home = environment.HF_HOME ?? join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: (environment.HF_ENDPOINT ?? 'https://huggingface.co').replace(/\/+$/, ''),
    token: environment.HF_TOKEN?.trim() || environment.HUGGING_FACE_HUB_TOKEN?.trim() || savedToken(home),
    cache: environment.HF_HUB_CACHE ?? environment.HUGGINGFACE_HUB_CACHE ?? join(home, 'hub'),
    offline: ['1', 'true', 'yes', 'on'].includes((environment.HF_HUB_OFFLINE ?? '').toLowerCase()),
    attempts: 6,
    wait: (milliseconds) => sleep(milliseconds),
  };
}

/** Nothing came for so long: the connection is taken for dead. */
const stallMilliseconds = 60_000;
const longestWaitMilliseconds = 120_000;

/**
 * `fetch` to the hub: sends the token to the hub alone, tries again where that may help (no answer, 429, 5xx), waits as
 * long as the server asks for, and turns what remains into a Problem that says what to do.
 */
export class HubClient {
  readonly settings: HubSettings;

  constructor(settings: HubSettings = hubSettings()) {
    this.settings = settings;
  }

  /**
   * A response that is good (2xx), or 416. `about`: the data set, for messages. The body may still break off: `readBody`
   * reads it with a limit on silence.
   */
  async request(
    url: string,
    about: string,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const { settings } = this;
    if (settings.offline) {
      throw new HubSilent(`${about} is not in the cache, and HF_HUB_OFFLINE is set`, {
        where: settings.cache,
        try: 'unset HF_HUB_OFFLINE, or fetch it where there is a network and copy the cache',
      });
    }
    for (let attempt = 1; ; attempt += 1) {
      let failure: string;
      let pause = Math.min(longestWaitMilliseconds, 1000 * 2 ** (attempt - 1));
      try {
        const response = await this.fetchOnce(url, headers, signal);
        if (response.ok || response.status === 416) return response;
        if (response.status !== 429 && response.status < 500) throw await this.refusal(response, about);
        failure = response.status === 429 ? 'too many requests (429)' : `the hub answered ${response.status}`;
        pause = retryAfter(response) ?? pause;
        await response.body?.cancel();
      } catch (error) {
        if (error instanceof Problem || signal?.aborted === true) throw error;
        failure = networkReason(error);
      }
      if (attempt >= settings.attempts) throw this.unreachable(failure, about);
      await settings.wait(Math.min(pause, longestWaitMilliseconds));
      signal?.throwIfAborted();
    }
  }

  /** The same in the shape that `@huggingface/hub` calls. */
  fetchFor(about: string): typeof fetch {
    return (input) => this.request(input instanceof Request ? input.url : String(input), about);
  }

  private async fetchOnce(url: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    const own = url.startsWith(`${this.settings.endpoint}/`);
    const authorization = own && this.settings.token !== null ? { authorization: `Bearer ${this.settings.token}` } : {};
    const unanswered = new AbortController();
    const timer = setTimeout(() => unanswered.abort(new Error('no answer for a minute')), stallMilliseconds);
    try {
      // Node's fetch drops the authorization header where a redirect leads to another host.
      return await fetch(url, {
        headers: { 'user-agent': 'curate', ...headers, ...authorization },
        signal: signal === undefined ? unanswered.signal : AbortSignal.any([signal, unanswered.signal]),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  private async refusal(response: Response, about: string): Promise<Problem> {
    const code = response.headers.get('x-error-code') ?? '';
    const message = response.headers.get('x-error-message') ?? '';
    await response.body?.cancel();
    const page = `${this.settings.endpoint}/datasets/${about}`;
    const { token } = this.settings;
    if (code === 'GatedRepo' || (response.status === 403 && /gated|access/i.test(message))) {
      return new Problem(`${about} is gated: its owners ask you to accept their terms`, {
        where: page,
        found: token === null ? 'no HF_TOKEN' : 'a token whose account has not been given access',
        try: `accept the terms on ${page}${token === null ? ', then set HF_TOKEN to a token of that account' : ''}`,
      });
    }
    if (code === 'RevisionNotFound') {
      return new Problem(`${about} has no such revision`, {
        where: page,
        try: 'look up branches and commits on its page',
      });
    }
    if (code === 'EntryNotFound' || (response.status === 404 && code === '' && response.url.includes('/resolve/'))) {
      return new Problem(`${about} has no such file any more`, {
        where: page,
        try: 'files: with the names on its page',
      });
    }
    if (response.status === 401 && token !== null && code !== 'RepoNotFound') {
      return new Problem(`the hub does not accept this token for ${about}`, {
        found: message === '' ? '401' : message,
        try: `set HF_TOKEN to a valid token (${this.settings.endpoint}/settings/tokens), or unset it for public data`,
      });
    }
    if (response.status === 401 || response.status === 404) {
      return new Problem(
        `the hub has no data set ${about}${token === null ? ', or it is private' : ' that this token may see'}`,
        {
          where: page,
          try:
            token === null
              ? 'check the name; for a private one set HF_TOKEN'
              : 'check the name and the rights of the token in HF_TOKEN',
        },
      );
    }
    if (response.status === 403) {
      return new Problem(`this token may not read ${about}`, {
        where: page,
        found: message === '' ? '403' : message,
        try: 'give the token in HF_TOKEN the right to read this data set',
      });
    }
    return new Problem(`the hub answered ${response.status} for ${about}`, { where: page, found: message });
  }

  private unreachable(failure: string, about: string): Problem {
    const limited = failure.includes('429');
    return new HubSilent(
      limited ? `the hub limits our requests for ${about}` : `the hub cannot be reached for ${about}`,
      {
        where: this.settings.endpoint,
        found: `${failure}, after ${this.settings.attempts} attempts`,
        try: limited
          ? this.settings.token === null
            ? 'set HF_TOKEN: the hub allows more to those who sign in; the same command goes on'
            : 'wait a few minutes; the same command goes on where it stopped'
          : 'check the network, or HF_ENDPOINT for a mirror; the same command goes on where it stopped',
      },
    );
  }
}

/** A body's bytes; throws where nothing comes for a minute. */
export async function* readBody(response: Response): AsyncGenerator<Buffer> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('nothing came for a minute')), stallMilliseconds);
      });
      const { done, value } = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
      if (done) return;
      yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The reason under `fetch failed`, without addresses. */
export function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}

// ---------------------------------------------------------------------------------------------------------------------

function retryAfter(response: Response): number | null {
  const value = response.headers.get('retry-after');
  if (value === null) return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

function savedToken(home: string): string | null {
  try {
    return readFileSync(join(home, 'token'), 'utf8').trim() || null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return null;
    throw error;
  }
}
