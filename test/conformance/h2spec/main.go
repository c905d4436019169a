// h2spec, the conformance tests of HTTP/2 and HPACK, as a program of this repository: host and port of a server
// that speaks HTTP/2 with prior knowledge, then flags. Prints h2spec's own report, writes JUnit's where asked to,
// and exits with 1 if a case failed.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/summerwind/h2spec"
	"github.com/summerwind/h2spec/config"
)

func main() {
	host := flag.String("host", "127.0.0.1", "the server's")
	port := flag.Int("port", 0, "the server's")
	path := flag.String("path", "/", "of the requests")
	tls := flag.Bool("tls", false, "connect by TLS, whatever the certificate")
	strict := flag.Bool("strict", false, "also what RFC 7540 only recommends")
	timeout := flag.Duration("timeout", 2*time.Second, "how long a case waits for an answer")
	junit := flag.String("junit", "", "file for a report")
	flag.Parse()

	passed, err := h2spec.Run(&config.Config{
		Host:         *host,
		Port:         *port,
		Path:         *path,
		Timeout:      *timeout,
		MaxHeaderLen: 4000,
		JUnitReport:  *junit,
		Strict:       *strict,
		TLS:          *tls,
		Insecure:     true,
		Sections:     flag.Args(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !passed {
		os.Exit(1)
	}
}
