// Command hello is the small web server of the example jobs: it says where it
// runs. It needs nothing but its own file, so that any driver can run it.
package main

import (
	"cmp"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	addr := net.JoinHostPort(os.Getenv("HELLO_BIND"), cmp.Or(os.Getenv("NOMAD_PORT_http"), "8080"))
	me := fmt.Sprintf("%s, allocation %s on node %s", os.Getenv("NOMAD_TASK_NAME"), os.Getenv("NOMAD_ALLOC_ID"), os.Getenv("node_name"))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s asks for %s", r.RemoteAddr, r.URL.Path)
		fmt.Fprintf(w, "Hello from %s\n", me)
	})
	log.Printf("%s listens on %s", me, addr)
	log.Fatal(http.ListenAndServe(addr, nil))
}
