'use strict';
// Node's own WebSocket, as browsers have it, as a client of /echo:  node builtin.js SCENARIO URL plain|deflate
// See cases/peers.py for what the scenarios are. Node 22 has it, 20 behind --experimental-websocket; before that
// it is undici's, which is the same.

globalThis.WebSocket ??= require('undici').WebSocket;
const {exchange, awaitClose} = require('../web/exchange.js');

// Node fails a connection when a message inflates to more.
const LONGEST_INFLATED = 4 << 20;

const [scenario, url, compression] = process.argv.slice(2);
const running = scenario === 'await' ? awaitClose(url, () => console.error('open'))
    : exchange(url, compression === 'deflate' ? LONGEST_INFLATED : Infinity);
running.then((extensions) => {
    // It always offers where it can; older ones cannot.
    const agreed = extensions.startsWith('permessage-deflate');
    if (agreed && compression === 'plain') throw new Error(`extensions: ${extensions}`);
    process.exit(0);
}).catch((error) => {
    console.error(error);
    process.exit(1);
});
