// What Node's HTTP server makes of byte streams. Standard input: a line of base64 for each. Standard output: a line of
// JSON for each, bytes in base64: the requests, and the parser's error if there was one. Only Node's public interface.
'use strict';
const http = require('http');
const { Duplex } = require('stream');
const { createInterface } = require('readline');

const base64 = (text) => Buffer.from(text, 'latin1').toString('base64');
const turns = async (count) => {
  for (let i = 0; i < count; ++i) await new Promise(setImmediate);
};

async function parse(bytes) {
  const result = { requests: [], error: '' };
  // What our codec has no setting for is as ours: the head's limits, and that Host is judged by us.
  const server = http.createServer({ maxHeaderSize: 60 * 1024, requireHostHeader: false });
  server.maxHeadersCount = 0;
  server.headersTimeout = server.requestTimeout = server.keepAliveTimeout = 0;
  const take = (request, response) => {
    const seen = { method: base64(request.method), target: base64(request.url), body: '', complete: false };
    const pieces = [];
    result.requests.push(seen);
    request.on('data', (piece) => {
      pieces.push(piece);
      seen.body = Buffer.concat(pieces).toString('base64');
    });
    request.on('end', () => {
      seen.complete = request.complete;
      if (response) response.end();
    });
    request.on('error', () => {});
    if (response) response.on('error', () => {});
  };
  server.on('request', take);
  server.on('checkContinue', take);
  server.on('checkExpectation', take);
  server.on('connect', (request, socket) => {
    result.requests.push({ method: base64('CONNECT'), target: base64(request.url), body: '', complete: true });
    socket.destroy();
  });
  server.on('clientError', (error, socket) => {
    // Bytes behind "Connection: close": we drop them in silence.
    if (error.code === 'HPE_CLOSED_CONNECTION') return;
    result.error = error.code || 'unknown';
    socket.destroy();
  });
  const socket = new Duplex({ read() {}, write(chunk, encoding, done) { done(); } });
  socket.on('error', () => {});
  socket.setTimeout = () => socket;
  socket.setKeepAlive = socket.setNoDelay = () => socket;
  socket.remoteAddress = '127.0.0.1';
  server.emit('connection', socket);
  socket.push(bytes);
  await turns(8);
  socket.destroy();
  await turns(1);
  return result;
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await parse(Buffer.from(line, 'base64'))));
  }
}

main();
