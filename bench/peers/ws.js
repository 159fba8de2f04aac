// SPDX-License-Identifier: MIT
// The WebSocket library ws of node.js: sends every message back.

const { WebSocketServer } = require('/usr/share/nodejs/ws'); // Debian's node-ws

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

server.on('connection', (ws, request) => {
    request.socket.setNoDelay(true);
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
    ws.on('error', () => ws.terminate());
});
server.on('listening', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
