// A reverse proxy as the Go standard library gives it, for comparison.
// Usage: go-proxy LISTEN-ADDRESS BACKEND-ADDRESS
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: go-proxy LISTEN-ADDRESS BACKEND-ADDRESS")
	}
	backend := &url.URL{Scheme: "http", Host: os.Args[2]}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(backend)
			request.SetXForwarded()
			request.Out.Host = request.In.Host
		},
		Transport: &http.Transport{
			MaxIdleConns:        256,
			MaxIdleConnsPerHost: 256,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
		},
	}
	server := &http.Server{Addr: os.Args[1], Handler: proxy, IdleTimeout: 75 * time.Second}
	log.Fatal(server.ListenAndServe())
}
