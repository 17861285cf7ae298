'use strict';
// Node's ws as subscribers of one server:  node feed.js SUBSCRIBERS
// SUBSCRIBERS is JSON: [{url, request, answered, count}, ...]; `request` is said first where there is one, and its answer
// awaited. It says "subscribed" when all are, and when each has `count` messages, and a ping after the last found no more,
// prints one line for each: the SHA-256 of its messages, each with a line feed behind it. Of messages of the JSON dialect that is
// topic, space, data as it was written.

const crypto = require('node:crypto');
const WebSocket = require('ws');

const JSON_DIALECT = /^\{"topic":"([^"]*)","epoch":\d+,"seq":\d+,"time":\d+,"data":(.*)\}$/s;

function plain(text) {
    const found = JSON_DIALECT.exec(text);
    return found ? `${found[1]} ${found[2]}` : text;
}

function subscribe({url, request, count}) {
    const socket = new WebSocket(url, {maxPayload: 0, perMessageDeflate: false});
    const hash = crypto.createHash('sha256');
    let asked = Boolean(request), left = count;
    const subscribed = new Promise((resolve, reject) => {
        socket.on('error', reject);
        socket.on('open', () => (asked ? socket.send(request) : resolve()));
        socket.on('message', () => resolve());
    });
    const done = new Promise((resolve, reject) => {
        socket.on('message', (data) => {
            if (asked) { asked = false; return; }
            hash.update(plain(data.toString())).update('\n');
            if (--left === 0) socket.ping();
        });
        socket.on('pong', () => (left === 0 ? resolve(hash.digest('hex')) : reject(new Error(`${-left} too many`))));
        socket.on('close', (code) => reject(new Error(`closed with ${code}, ${left} missing`)));
    });
    done.catch(() => {});
    return {subscribed, done, end: () => socket.terminate()};
}

async function main() {
    const all = JSON.parse(process.argv[2]).map(subscribe);
    await Promise.all(all.map((one) => one.subscribed));
    console.error('subscribed');
    for (const one of all) console.log(await one.done);
    for (const one of all) one.end();
}

main().catch((error) => {
    console.error(error.stack);
    process.exit(1);
});
