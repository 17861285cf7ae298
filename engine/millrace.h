#pragma once
// Millrace: a WebSocket engine that bypasses the kernel. This is all that an application includes.
//
//     struct Echo {
//         void on_message(auto& ws, const millrace::Message& message) { ws.send(message); }
//     };
//     int main(int argc, char** argv) {
//         return millrace::serve(argc, argv, millrace::app(millrace::route("/echo", Echo{})));
//     }
//
// Handlers and pages: engine/endpoint/routes.h. A connection: engine/endpoint/websocket.h. Options:
// engine/run/serve_options.h. Clients: engine/run/connect.h. Many connections and loops of one's own:
// engine/endpoint/endpoint.h and shard.h.

#include "engine/endpoint/endpoint.h"
#include "engine/endpoint/shard.h"
#include "engine/run/connect.h"
#include "engine/run/serve.h"
