'use strict';
// The WebSocket of the web (https://websockets.spec.whatwg.org) as a client of /echo, for browsers and Node alike.
// See cases/peers.py for what the scenarios are. exchange() and awaitClose() resolve to the extensions in use.

const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1 << 20, 4 << 20, 16 << 20];

function text(size) {
    const unit = 'Grüße €𝄞 ', bytes = new TextEncoder().encode(unit).length;
    return unit.repeat(Math.floor(size / bytes)) + '.'.repeat(size % bytes);
}

function binary(size) {
    const octets = new Uint8Array(size);
    for (let i = 0; i < size; i++) octets[i] = (i >> 8) ^ i;
    return octets;
}

function open(url) {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.closed = new Promise((resolve) => socket.addEventListener('close', resolve));
    return new Promise((resolve, reject) => {
        socket.addEventListener('open', () => resolve(socket));
        socket.addEventListener('error', () => reject(new Error('no connection, or it failed')));
    });
}

// The next message; one is asked for at a time.
function answer(socket) {
    return new Promise((resolve, reject) => {
        socket.onmessage = (event) => resolve(event.data);
        socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
    });
}

function same(a, b) {
    return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

// Messages longer than `most` bytes are left out.
async function exchange(url, most = Infinity) {
    const socket = await open(url);
    for (const size of SIZES.filter((size) => size <= most)) {
        const words = text(size), octets = binary(size);
        let coming = answer(socket);
        socket.send(words);
        if (await coming !== words) throw new Error(`a text of ${size} came back otherwise`);
        coming = answer(socket);
        socket.send(octets);
        if (!same(new Uint8Array(await coming), octets)) throw new Error(`a binary of ${size} came back otherwise`);
    }
    socket.close(4321, 'until then');
    const {code, wasClean} = await socket.closed;
    if (code !== 4321 || !wasClean) throw new Error(`the answer to the close: ${code}, clean: ${wasClean}`);
    return socket.extensions;
}

// `opened` is called when the server may be asked to close.
async function awaitClose(url, opened) {
    const socket = await open(url);
    opened();
    const {code, wasClean} = await socket.closed;
    if (code !== 1001 || !wasClean) throw new Error(`the server's close: ${code}, clean: ${wasClean}`);
    return socket.extensions;
}

if (typeof module !== 'undefined') module.exports = {exchange, awaitClose};
