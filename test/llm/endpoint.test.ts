import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Endpoint } from '../../src/llm/endpoint.js';
import { Spending } from '../../src/llm/spending.js';
import { emptyFolder } from '../classify/small-run.js';

const servers: Server[] = [];
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer((request, response) => request.resume().on('end', () => listener(request, response)));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}
afterEach(() => {
  vi.restoreAllMocks();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

function endpoint(url: string, key?: string): Endpoint {
  const { signal } = new AbortController();
  const settings = { option: 'classify.endpoint', written: '${URL}', url, key, model: 'm', signal };
  return new Endpoint(
    { ...settings, timeoutSeconds: 30, attempts: 4, pauseSeconds: 0.01 },
    new Spending(join(emptyFolder(), 'spent.jsonl'), {}, undefined),
  );
}

const answer = JSON.stringify({
  choices: [{ message: { content: 'yes' } }],
  usage: { prompt_tokens: 3, completion_tokens: 1 },
});
const question = [{ role: 'user' as const, content: 'Well?' }];

describe('an endpoint', () => {
  it('waits as long as Retry-After says', async () => {
    let calls = 0;
    const url = await serve((_, response) => {
      calls += 1;
      response.setHeader('content-type', 'application/json');
      if (calls > 1) response.end(answer);
      else response.writeHead(429, { 'retry-after': '1' }).end('{"error": {"message": "slow down"}}');
    });
    const begin = performance.now();
    expect(await endpoint(url).ask(question, 8, null)).toEqual({ content: 'yes', tokens: [3, 1] });
    expect(calls).toBe(2);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(990);
  });

  it('is the only host that is contacted, whatever the environment and the answers say', async () => {
    const contacted = new Set<string>();
    const connect = Socket.prototype.connect;
    vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...args: unknown[]) {
      const [first] = args.flat() as { host?: string; port?: number | string }[];
      contacted.add(`${first?.host}:${first?.port}`);
      return Reflect.apply(connect, this, args) as Socket;
    });
    const url = await serve((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.setHeader('location', 'http://127.0.0.1:9/elsewhere');
      response.end(request.url === '/v1/models' ? '{"data": [{"id": "m"}]}' : answer);
    });
    const set = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1', HTTP_PROXY: 'http://127.0.0.1:9', OPENAI_ORG_ID: 'org-1' };
    for (const [name, value] of Object.entries(set)) vi.stubEnv(name, value);
    try {
      const asked = endpoint(url, 'key');
      await asked.connect();
      await asked.ask(question, 8, null);
    } finally {
      vi.unstubAllEnvs();
    }
    expect([...contacted]).toEqual([new URL(url).host]);
  });

  it('sends the key and no organization, and asks at temperature 0 with a seed', async () => {
    const seen: { headers: object; body: string }[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += String(part);
      seen.push({ headers: request.headers, body });
      response.setHeader('content-type', 'application/json');
      response.end(answer);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const asked = endpoint(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`, 'sk-7');
    for (const content of ['one', 'two']) await asked.ask([{ role: 'user', content }], 8, null);
    // Headers are built once: the second call must carry them too, and its own text.
    for (const { headers } of seen) {
      expect(headers).toMatchObject({ authorization: 'Bearer sk-7', 'content-type': 'application/json' });
      expect(headers).not.toHaveProperty('openai-organization');
    }
    expect(seen.map(({ body }) => JSON.parse(body))).toEqual(
      ['one', 'two'].map((content) => ({
        model: 'm',
        messages: [{ role: 'user', content }],
        temperature: 0,
        seed: 42,
        max_tokens: 8,
      })),
    );
  });
});
