'use strict';
// Node's ws as a client of /echo:  node client.js SCENARIO URL [arguments]
// A scenario that does not go as it should ends the program with a message and status 1.

const assert = require('node:assert');
const fs = require('node:fs');
const zlib = require('node:zlib');
const WebSocket = require('ws');

function recorded(path) {
    const lines = zlib.gunzipSync(fs.readFileSync(path)).toString().trimEnd().split('\n');
    return lines.map((line) => line.slice(line.indexOf(' ') + 1));
}

// Text of so many bytes, in characters of one to four bytes.
function textOf(size) {
    let text = '';
    for (let number = 0, have = 0; ; number++) {
        const part = `${number} Grüße €𝄞 `;
        have += Buffer.byteLength(part);
        if (have > size) return text + '.'.repeat(size - (have - Buffer.byteLength(part)));
        text += part;
    }
}

function binaryOf(size) {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) bytes[i] = (i >> 8) ^ i;
    return bytes;
}

// An open connection with its messages and pongs as queues that are waited on.
async function open(url) {
    const socket = new WebSocket(url, {maxPayload: 0});
    const queues = {message: [], pong: []};
    const waiting = {message: [], pong: []};
    const arrive = (kind, value) => {
        const waiter = waiting[kind].shift();
        if (waiter) waiter.resolve(value);
        else queues[kind].push(value);
    };
    socket.on('message', (data, isBinary) => arrive('message', isBinary ? data : data.toString()));
    socket.on('pong', (data) => arrive('pong', data.toString()));
    socket.closed = new Promise((resolve) => socket.on('close', (code, reason) => {
        for (const waiter of [...waiting.message, ...waiting.pong]) waiter.reject(new Error(`closed with ${code}`));
        resolve({code, reason: reason.toString()});
    }));
    socket.next = (kind) => queues[kind].length > 0
        ? Promise.resolve(queues[kind].shift())
        : new Promise((resolve, reject) => waiting[kind].push({resolve, reject}));
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    // ws offers permessage-deflate.
    assert.strictEqual(socket.extensions, process.env.EXPECTED_EXTENSIONS ?? '', 'extensions');
    return socket;
}

async function echoes(socket, message) {
    socket.send(message);
    assert.deepStrictEqual(await socket.next('message'), message);
}

async function end(socket) {
    socket.close(1000);
    assert.strictEqual((await socket.closed).code, 1000);
}

const scenarios = {
    async pipelined(url, path) {
        const messages = recorded(path);
        const socket = await open(url);
        for (const message of messages) socket.send(message);
        for (const message of messages) assert.strictEqual(await socket.next('message'), message);
        await end(socket);
    },

    async 'one-by-one'(url, path, count) {
        const socket = await open(url);
        for (const message of recorded(path).slice(0, Number(count))) await echoes(socket, message);
        await end(socket);
    },

    async sizes(url, ...sizes) {
        const socket = await open(url);
        for (const size of sizes.map(Number)) {
            await echoes(socket, textOf(size));
            await echoes(socket, binaryOf(size));
        }
        await end(socket);
    },

    async fragments(url) {
        const socket = await open(url);
        for (const whole of [textOf(3000), textOf(200000), binaryOf(3000), binaryOf(200000)]) {
            const bytes = Buffer.from(whole), binary = typeof whole !== 'string';
            const step = Math.ceil(bytes.length / 50);
            const pings = [];
            for (let start = 0; start < bytes.length; start += step) {  // cut within characters, too
                socket.send(bytes.subarray(start, start + step), {fin: start + step >= bytes.length, binary});
                pings.push(`ping ${start}`);
                socket.ping(`ping ${start}`);
            }
            assert.deepStrictEqual(await socket.next('message'), whole);
            for (const ping of pings) assert.strictEqual(await socket.next('pong'), ping);
        }
        await end(socket);
    },

    async close(url, ...codes) {
        for (const code of codes.map(Number)) {
            const socket = await open(url);
            await echoes(socket, `before ${code}`);
            socket.close(code, 'until then');
            assert.strictEqual((await socket.closed).code, code);
        }
    },

    // The server is asked to end by a signal, and says why it closes.
    async 'server-closes'(url, pid, code) {
        const socket = await open(url);
        await echoes(socket, 'before');
        process.kill(Number(pid), 'SIGTERM');
        assert.strictEqual((await socket.closed).code, Number(code));
    },
};

const [name, ...rest] = process.argv.slice(2);
scenarios[name](...rest).then(() => process.exit(0), (error) => {
    console.error(error);
    process.exit(1);
});
