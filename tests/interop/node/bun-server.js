'use strict';
// Bun's own WebSocket server, which is uWebSockets, echoes until it is killed:  bun bun-server.js ADDRESS PORT

const [hostname, port] = process.argv.slice(2);
Bun.serve({
    hostname,
    port: Number(port),
    fetch: (request, server) => server.upgrade(request) ? undefined : new Response('', {status: 426}),
    websocket: {
        maxPayloadLength: 16 << 20,
        message: (socket, message) => { socket.send(message); },
    },
});
console.error('listening');
