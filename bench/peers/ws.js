// SPDX-License-Identifier: MIT
// The WebSocket library ws of node.js: sends every message back.

// Debian's node-ws, or else what npm has installed: above this folder, or in $NODE_PATH.
function findServer() {
    for (const name of ['/usr/share/nodejs/ws', 'ws']) {
        try {
            return require(name).WebSocketServer;
        } catch (error) {
            if (error.code !== 'MODULE_NOT_FOUND')
                throw error;
        }
    }
    console.error('node finds no module ws: install node-ws, or run "npm install --prefix DIR ws"' +
                  ' and set NODE_PATH=DIR/node_modules');
    process.exit(1);
}

const server = new (findServer())({ host: '127.0.0.1', port: 0, perMessageDeflate: false });

server.on('connection', (ws, request) => {
    request.socket.setNoDelay(true);
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
    ws.on('error', () => ws.terminate());
});
server.on('listening', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
