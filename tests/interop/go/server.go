// gorilla/websocket as an echo server, until it is killed:  gorilla-server ADDRESS PORT [CERTIFICATE KEY]
// See cases/client.py for what it understands besides.
package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// What is written beyond the buffer is a fragment of its own, so long messages leave in many.
var upgrader = websocket.Upgrader{EnableCompression: true, WriteBufferSize: 1000}

func echo(response http.ResponseWriter, request *http.Request) {
	peer, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer peer.Close()
	for {
		kind, message, err := peer.ReadMessage()
		if err != nil {
			return // it has answered the client's close with the same code
		}
		if bytes.Equal(message, []byte("compression")) {
			message = []byte("plain")
			if strings.Contains(request.Header.Get("Sec-Websocket-Extensions"), "permessage-deflate") {
				message = []byte("deflate")
			}
		}
		var code int
		if n, _ := fmt.Sscanf(string(message[:min(len(message), 20)]), "close %d as asked", &code); n == 1 {
			reason := websocket.FormatCloseMessage(code, "as asked")
			peer.WriteControl(websocket.CloseMessage, reason, time.Now().Add(time.Minute))
			continue
		}
		writer, err := peer.NextWriter(kind)
		if err != nil {
			return
		}
		half := len(message) / 2
		writer.Write(message[:half])
		peer.WriteControl(websocket.PingMessage, []byte("between"), time.Now().Add(time.Minute))
		writer.Write(message[half:])
		writer.Close()
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func main() {
	listener, err := net.Listen("tcp", os.Args[1]+":"+os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gorilla-server:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "listening")
	handler := http.HandlerFunc(echo)
	if len(os.Args) == 5 {
		err = http.ServeTLS(listener, handler, os.Args[3], os.Args[4])
	} else {
		err = http.Serve(listener, handler)
	}
	fmt.Fprintln(os.Stderr, "gorilla-server:", err)
	os.Exit(1)
}
