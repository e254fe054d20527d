// Both ends of HTTP/2 as the Go standard library has them.
//
//	go-peer serve            prints {"plain":port,"secure":port}, serves until its standard input ends
//	go-peer ask URL          asks what a client asks, prints what it got as one line of JSON
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	log.SetFlags(0)
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		serve()
	case len(os.Args) == 3 && os.Args[1] == "ask":
		ask(os.Args[2])
	default:
		log.Fatal("usage: go-peer serve | go-peer ask URL")
	}
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Echoes: what came, by which protocol, and a trailer that sums up the body that it sends.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("X-Proto", r.Proto)
	w.Header().Set("X-Request-Trailer", r.Trailer.Get("X-Sum"))
	w.Header().Set("Trailer", "X-Sum")
	if r.URL.Path == "/hints" {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
	}
	w.WriteHeader(http.StatusOK)
	w.Write(body)
	w.Header().Set("X-Sum", digest(body))
}

func serve() {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: http.HandlerFunc(echo), Protocols: protocols, TLSConfig: selfSigned()}
	plain, secure := listen(), listen()
	go server.Serve(plain)
	go server.ServeTLS(secure, "", "")
	fmt.Printf("{\"plain\":%d,\"secure\":%d}\n", port(plain), port(secure))
	io.Copy(io.Discard, os.Stdin)
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func port(listener net.Listener) int {
	return listener.Addr().(*net.TCPAddr).Port
}

func selfSigned() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"peer.example"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
}

// What came of asking.
type outcome struct {
	// Protocols that answers came by, and that the server saw.
	Protos   []string `json:"protos"`
	Upstream []string `json:"upstream"`
	Answers  int      `json:"answers"`
	Faults   []string `json:"faults"`
}

type asker struct {
	client  *http.Client
	url     string
	lock    sync.Mutex
	outcome outcome
}

func ask(url string) {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(strings.HasPrefix(url, "https:"))
	protocols.SetUnencryptedHTTP2(strings.HasPrefix(url, "http:"))
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	a := &asker{client: &http.Client{Transport: transport, Timeout: 20 * time.Second}, url: url}
	a.one("GET", "/plain", nil)
	a.one("GET", "/hints", nil)
	a.one("DELETE", "/empty", nil)
	a.one("POST", "/small", []byte("hello"))
	a.one("PUT", "/large", bytes.Repeat([]byte("0123456789abcdef"), 5<<16))
	var group sync.WaitGroup
	for index := range 200 {
		group.Go(func() { a.one("POST", fmt.Sprintf("/many/%d", index), bytes.Repeat([]byte{byte(index)}, index*100)) })
	}
	group.Wait()
	json.NewEncoder(os.Stdout).Encode(a.outcome)
}

// One request with a trailer that sums up its body, and everything that its answer must be.
func (a *asker) one(method, path string, body []byte) {
	var source io.Reader
	if body != nil {
		source = io.MultiReader(bytes.NewReader(body))
	}
	request, err := http.NewRequest(method, a.url+path, source)
	if err != nil {
		a.fault(path, err.Error())
		return
	}
	if body != nil {
		request.Trailer = http.Header{"X-Sum": {digest(body)}}
	}
	response, err := a.client.Do(request)
	if err != nil {
		a.fault(path, err.Error())
		return
	}
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		a.fault(path, err.Error())
	case response.StatusCode != 200:
		a.fault(path, response.Status)
	case !bytes.Equal(received, body):
		a.fault(path, fmt.Sprintf("%d bytes of %d", len(received), len(body)))
	case response.Trailer.Get("X-Sum") != digest(body):
		a.fault(path, "trailer of the answer: "+response.Trailer.Get("X-Sum"))
	// A server of HTTP/2 shows no trailers but those that the field Trailer announces, which no proxy passes on.
	case body != nil && response.Header.Get("X-Proto") == "HTTP/1.1" && response.Header.Get("X-Request-Trailer") != digest(body):
		a.fault(path, "trailer of the request: "+response.Header.Get("X-Request-Trailer"))
	}
	a.note(response)
}

func (a *asker) note(response *http.Response) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.outcome.Answers++
	a.outcome.Protos = with(a.outcome.Protos, response.Proto)
	a.outcome.Upstream = with(a.outcome.Upstream, response.Header.Get("X-Proto"))
}

func (a *asker) fault(path, what string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.outcome.Faults = append(a.outcome.Faults, path+": "+what)
}

func with(list []string, entry string) []string {
	for _, known := range list {
		if known == entry {
			return list
		}
	}
	return append(list, entry)
}
