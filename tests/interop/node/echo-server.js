'use strict';
// Node's ws as an echo server, until it is killed:  node echo-server.js ADDRESS PORT [CERTIFICATE KEY | bare]
// See cases/client.py for what it understands besides; `bare`, it looks into no message.

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const {WebSocketServer} = require('ws');

const FRAGMENTED = 1000;  // bytes, from which on an echo is cut

const [address, port, certificate, key] = process.argv.slice(2);
const bare = certificate === 'bare';
const carrier = key ? https.createServer({cert: fs.readFileSync(certificate), key: fs.readFileSync(key)})
    : http.createServer();
const server = new WebSocketServer({server: carrier, perMessageDeflate: true});

function echo(socket, data, binary) {
    if (data.length < FRAGMENTED) return socket.send(data, {binary});
    const third = Math.floor(data.length / 3);  // within characters, too
    socket.send(data.subarray(0, third), {binary, fin: false});
    socket.ping('between');
    socket.send(data.subarray(third, 2 * third), {binary, fin: false});
    socket.send(data.subarray(2 * third), {binary, fin: true});
}

server.on('connection', (socket) => socket.on('message', (data, binary) => {
    if (bare) return socket.send(data, {binary});
    const words = data.length < 100 ? data.toString() : '';
    const code = /^close (\d+) as asked$/.exec(words);
    if (code) socket.close(Number(code[1]), 'as asked');
    else if (words === 'compression') socket.send(socket.extensions ? 'deflate' : 'plain');
    else echo(socket, data, binary);
}));
carrier.listen(Number(port), address, () => console.error('listening'));
