// gorilla/websocket as a client of /echo:  gorilla-client SCENARIO URL plain|deflate
// See cases/peers.py for what the scenarios are.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

var sizes = []int{0, 1, 125, 126, 127, 65535, 65536, 1 << 20, 16 << 20}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gorilla-client:", err)
		os.Exit(1)
	}
}

func require(holds bool, what string, arguments ...any) {
	if !holds {
		check(fmt.Errorf(what, arguments...))
	}
}

func text(size int) []byte {
	const unit = "Grüße €𝄞 "
	whole := strings.Repeat(unit, size/len(unit))
	return []byte(whole + strings.Repeat(".", size-len(whole)))
}

func binary(size int) []byte {
	octets := make([]byte, size)
	for i := range octets {
		octets[i] = byte(i>>8 ^ i)
	}
	return octets
}

func receive(peer *websocket.Conn, kind int, message []byte, what string) {
	gotKind, got, err := peer.ReadMessage()
	check(err)
	require(gotKind == kind && bytes.Equal(got, message), "%s of %d came back otherwise", what, len(message))
}

func exchange(peer *websocket.Conn) {
	for _, size := range sizes {
		check(peer.WriteMessage(websocket.TextMessage, text(size)))
		receive(peer, websocket.TextMessage, text(size), "text")
		check(peer.WriteMessage(websocket.BinaryMessage, binary(size)))
		receive(peer, websocket.BinaryMessage, binary(size), "binary")
	}
	// A write beyond the buffer is a fragment of its own.
	for _, size := range []int{3000, 200000} {
		writer, err := peer.NextWriter(websocket.TextMessage)
		check(err)
		_, err = writer.Write(text(size))
		check(err)
		check(peer.WriteControl(websocket.PingMessage, []byte("between"), time.Now().Add(time.Minute)))
		check(writer.Close())
		receive(peer, websocket.TextMessage, text(size), "fragmented text")
	}
	const code = 4321
	reason := websocket.FormatCloseMessage(code, "until then")
	check(peer.WriteControl(websocket.CloseMessage, reason, time.Now().Add(time.Minute)))
	_, _, err := peer.ReadMessage()
	require(websocket.IsCloseError(err, code), "the answer to the close: %v", err)
}

func await(peer *websocket.Conn) {
	fmt.Fprintln(os.Stderr, "open")
	_, _, err := peer.ReadMessage()
	require(websocket.IsCloseError(err, websocket.CloseGoingAway), "the server's close: %v", err)
}

func main() {
	scenario, url, compression := os.Args[1], os.Args[2], os.Args[3]
	dialer := websocket.Dialer{EnableCompression: compression == "deflate", WriteBufferSize: 1000}
	peer, response, err := dialer.Dial(url, nil)
	check(err)
	agreed := strings.HasPrefix(response.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
	require(agreed == (compression == "deflate"), "extensions: %q", response.Header.Get("Sec-WebSocket-Extensions"))
	if scenario == "exchange" {
		exchange(peer)
	} else {
		await(peer)
	}
}
