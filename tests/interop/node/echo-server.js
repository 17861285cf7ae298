'use strict';
// Node's ws as an echo server, until it is killed:  node echo-server.js ADDRESS PORT

const {WebSocketServer} = require('ws');

const [address, port] = process.argv.slice(2);
const server = new WebSocketServer({host: address, port: Number(port), perMessageDeflate: true});
server.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, {binary: isBinary})));
server.on('listening', () => console.error('listening'));
