import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { makeHttpFetch } from '../../src/llm/http-fetch.js';

const servers: Server[] = [];
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('fetch over the plain client', () => {
  it('carries method, headers, body, status and answer', async () => {
    const url = await serve(async (request, response) => {
      let body = '';
      for await (const part of request) body += String(part);
      response.writeHead(418, { 'x-answer': 'yes', 'content-type': 'application/json' });
      response.end(JSON.stringify({ method: request.method, own: request.headers['x-own'], body }));
    });
    const answer = await makeHttpFetch(4)(`${url}/a`, { method: 'POST', headers: { 'x-own': '1' }, body: 'größe' });
    expect([answer.status, answer.ok, answer.headers.get('x-answer')]).toEqual([418, false, 'yes']);
    expect(await answer.json()).toEqual({ method: 'POST', own: '1', body: 'größe' });
  });

  it('follows no redirect', async () => {
    let other = 0;
    const elsewhere = await serve((_, response) => {
      other += 1;
      response.end();
    });
    const url = await serve((_, response) => response.writeHead(307, { location: elsewhere }).end());
    expect((await makeHttpFetch(1)(url, { method: 'POST', body: '{}' })).status).toBe(307);
    expect(other).toBe(0);
  });

  it('ends a body that stalls when the signal says so, and fails on half a body', async () => {
    const stalled = new AbortController();
    const url = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => (request.url === '/stall' ? stalled.abort() : response.destroy()));
    });
    await expect(makeHttpFetch(1)(`${url}/stall`, { signal: stalled.signal })).rejects.toThrow(/abort/);
    await expect(makeHttpFetch(1)(`${url}/half`, {})).rejects.toThrow(/aborted/);
  });
});
