package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A fairListener keeps one address from taking all connections. Sockets without
// addresses, as in tests and on Unix, are not counted.
type fairListener struct {
	net.Listener
	limit int
	mu    sync.Mutex
	open  map[string]int
}

const tooManyText = "Your IP is issuing too many concurrent connections, please rate limit your calls"

var tooMany = fmt.Sprintf("HTTP/1.1 429 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
	http.StatusText(http.StatusTooManyRequests), len(tooManyText), tooManyText)

func (l *fairListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := c.RemoteAddr().(*net.TCPAddr)
		if !ok || l.limit <= 0 {
			return c, nil
		}
		ip := tcp.IP.String()
		if l.enter(ip) {
			return &fairConn{Conn: c, leave: func() { l.leave(ip) }}, nil
		}
		go refuse(c)
	}
}

func refuse(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte(tooMany))
	_ = c.Close()
}

func (l *fairListener) enter(ip string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[ip] >= l.limit {
		return false
	}
	l.open[ip]++
	return true
}

func (l *fairListener) leave(ip string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[ip]--; l.open[ip] <= 0 {
		delete(l.open, ip)
	}
}

type fairConn struct {
	net.Conn
	once  sync.Once
	leave func()
}

func (c *fairConn) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}
