// A unary gRPC method as the Go standard library serves HTTP/2 without TLS: the message that comes goes back.
// Usage: go-grpc LISTEN-ADDRESS
package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

func echo(answer http.ResponseWriter, request *http.Request) {
	message, err := io.ReadAll(io.LimitReader(request.Body, 1<<20))
	header := answer.Header()
	header.Set("Content-Type", "application/grpc")
	if err != nil {
		header.Set(http.TrailerPrefix+"Grpc-Status", "13")
		return
	}
	_, _ = answer.Write(message)
	header.Set(http.TrailerPrefix+"Grpc-Status", "0")
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go-grpc LISTEN-ADDRESS")
	}
	server := &http.Server{Addr: os.Args[1], Handler: http.HandlerFunc(echo), Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	// As many streams on one connection as a proxy may want.
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1000}
	log.Fatal(server.ListenAndServe())
}
