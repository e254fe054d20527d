// A reverse proxy as the Go standard library gives it, for comparison.
// Usage: go-proxy LISTEN-ADDRESS BACKEND-ADDRESS http1|grpc [CERTIFICATE-FILE KEY-FILE h2|http/1.1]
package main

import (
	"crypto/tls"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 4 && len(os.Args) != 7 {
		log.Fatal("usage: go-proxy LISTEN-ADDRESS BACKEND-ADDRESS http1|grpc [CERTIFICATE-FILE KEY-FILE h2|http/1.1]")
	}
	backend := &url.URL{Scheme: "http", Host: os.Args[2]}
	transport := &http.Transport{
		MaxIdleConns:        256,
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(backend)
			request.SetXForwarded()
			request.Out.Host = request.In.Host
		},
		Transport: transport,
	}
	if os.Args[3] == "grpc" {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
		proxy.FlushInterval = -1
	}
	server := &http.Server{Addr: os.Args[1], Handler: proxy, IdleTimeout: 75 * time.Second}
	if len(os.Args) == 4 {
		log.Fatal(server.ListenAndServe())
	}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(os.Args[6] == "h2")
	server.TLSConfig = &tls.Config{
		CipherSuites:     []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256},
	}
	log.Fatal(server.ListenAndServeTLS(os.Args[4], os.Args[5]))
}
