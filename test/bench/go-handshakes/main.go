// Opens TLS connections one after the other on each of several lanes, one small GET on each, and prints what came of it as
// one line of JSON. Times are of connecting and the handshake alone.
// Usage: go-handshakes ADDRESS NAME LANES SECONDS 1.2|1.3 full|resumed
package main

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

type lane struct {
	done, failed, other int
	micros              []int64
}

// other counts handshakes that were not of the kind that was asked for.
type report struct {
	Done   int     `json:"done"`
	Failed int     `json:"failed"`
	Other  int     `json:"other"`
	P50Ms  float64 `json:"p50Ms"`
	P99Ms  float64 `json:"p99Ms"`
}

func (l *lane) run(address string, config *tls.Config, request []byte, resumed bool, end time.Time) {
	// The first one cannot be resumed: it brings the ticket.
	if _, _, err := connect(address, config, request); err != nil {
		l.failed++
	}
	for time.Now().Before(end) {
		took, reused, err := connect(address, config, request)
		switch {
		case err != nil:
			l.failed++
		case reused != resumed:
			l.other++
		default:
			l.done++
			l.micros = append(l.micros, took.Microseconds())
		}
	}
}

func connect(address string, config *tls.Config, request []byte) (time.Duration, bool, error) {
	began := time.Now()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		return 0, false, err
	}
	defer raw.Close()
	_ = raw.SetDeadline(began.Add(5 * time.Second))
	secure := tls.Client(raw, config)
	if err := secure.Handshake(); err != nil {
		return 0, false, err
	}
	took := time.Since(began)
	if _, err := secure.Write(request); err != nil {
		return 0, false, err
	}
	// Tickets of TLS 1.3 come behind the handshake, before the answer.
	answer, err := io.ReadAll(secure)
	if err != nil {
		return 0, false, err
	}
	if !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
		return 0, false, io.ErrUnexpectedEOF
	}
	return took, secure.ConnectionState().DidResume, nil
}

func configure(name, version string, resumed bool) *tls.Config {
	config := &tls.Config{
		ServerName: name,
		// The certificate is of this run and signed by itself; its signature of the handshake is checked all the same.
		InsecureSkipVerify: true,
		MinVersion:         tls.VersionTLS13,
		MaxVersion:         tls.VersionTLS13,
		CurvePreferences:   []tls.CurveID{tls.X25519, tls.CurveP256},
	}
	if version == "1.2" {
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	}
	if resumed {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return config
}

func main() {
	if len(os.Args) != 7 {
		log.Fatal("usage: go-handshakes ADDRESS NAME LANES SECONDS 1.2|1.3 full|resumed")
	}
	address, name, resumed := os.Args[1], os.Args[2], os.Args[6] == "resumed"
	count, _ := strconv.Atoi(os.Args[3])
	seconds, _ := strconv.Atoi(os.Args[4])
	request := []byte("GET / HTTP/1.1\r\nHost: " + name + "\r\nConnection: close\r\n\r\n")
	lanes := make([]lane, count)
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	var wait sync.WaitGroup
	for index := range lanes {
		wait.Add(1)
		go func() {
			defer wait.Done()
			lanes[index].run(address, configure(name, os.Args[5], resumed), request, resumed, end)
		}()
	}
	wait.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(summarise(lanes))
}

func summarise(lanes []lane) report {
	var sum report
	var all []int64
	for _, one := range lanes {
		sum.Done += one.done
		sum.Failed += one.failed
		sum.Other += one.other
		all = append(all, one.micros...)
	}
	if len(all) == 0 {
		return sum
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	at := func(share float64) float64 { return float64(all[int(float64(len(all)-1)*share)]) / 1000 }
	sum.P50Ms, sum.P99Ms = at(0.5), at(0.99)
	return sum
}
