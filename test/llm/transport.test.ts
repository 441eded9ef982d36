import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TooLate, Transport } from '../../src/llm/transport.js';

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

function transport(timeoutSeconds = 60, signal = new AbortController().signal): Transport {
  return new Transport({ connections: 2, timeoutSeconds, signal });
}

describe('the transport', () => {
  it('carries method, headers, body, status and answer', async () => {
    const url = await serve(async (request, response) => {
      let body = '';
      for await (const part of request) body += String(part);
      response.writeHead(418, { 'X-Answer': 'yes', 'content-type': 'application/json' });
      response.end(JSON.stringify({ method: request.method, url: request.url, own: request.headers['x-own'], body }));
    });
    const answer = await transport().send(`${url}/a?b=1`, 'POST', { 'x-own': '1' }, 'größe');
    expect([answer.status, answer.ok, answer.headers.get('X-Answer')]).toEqual([418, false, 'yes']);
    expect(await answer.json()).toEqual({ method: 'POST', url: '/a?b=1', own: '1', body: 'größe' });
    expect([...answer.headers.entries()]).toContainEqual(['x-answer', 'yes']);
  });

  it('follows no redirect', async () => {
    let other = 0;
    const elsewhere = await serve((_, response) => {
      other += 1;
      response.end();
    });
    const url = await serve((_, response) => response.writeHead(307, { location: elsewhere }).end());
    expect((await transport().send(url, 'POST', {}, '{}')).status).toBe(307);
    expect(other).toBe(0);
  });

  it('gives up an answer that stalls, before its head and in the midst of its body', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/body') response.writeHead(200, { 'content-length': 100 }).write('half');
    });
    const short = transport(0.2);
    await expect(short.send(`${url}/head`, 'GET', {}, undefined)).rejects.toThrow(TooLate);
    await expect(short.send(`${url}/body`, 'GET', {}, undefined)).rejects.toThrow(/within 0.2 seconds/);
  });

  it('ends what is under way on an interruption, and begins nothing after it', async () => {
    const interruption = new AbortController();
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => interruption.abort());
    });
    const interrupted = transport(60, interruption.signal);
    await expect(interrupted.send(url, 'GET', {}, undefined)).rejects.toThrow('interrupted');
    expect(() => interrupted.send(url, 'GET', {}, undefined)).toThrow(/abort/);
  });

  it('fails on half a body', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
    });
    await expect(transport().send(url, 'GET', {}, undefined)).rejects.toThrow(/aborted/);
  });
});
