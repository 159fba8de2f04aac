// SPDX-License-Identifier: MIT

// Go: an echo server with a goroutine for each connection, a hello server on net/http, or N
// goroutines that sleep; or items through a channel, between goroutines and between threads.
//
//	go channel
//	go echo
//	go http [CERT KEY]
//	go sleep N
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strconv"
	"time"
)

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // TCP_NODELAY is Go's default
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	return listener
}

func echo(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 1024)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		if _, err = conn.Write(buf[:n]); err != nil {
			return
		}
	}
}

func hello(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "Hello, world!\n")
}

// How long an item takes through a channel for 1,024, ns. With threads, both goroutines stay on
// a thread of their own.
func through(threads bool) float64 {
	const items = 500000
	channel := make(chan int, 1024)
	done := make(chan bool)
	start := time.Now()
	go func() {
		if threads {
			runtime.LockOSThread()
		}
		for range channel {
		}
		done <- true
	}()
	if threads {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	for i := 0; i < items; i++ {
		channel <- i
	}
	close(channel)
	<-done
	return float64(time.Since(start).Nanoseconds()) / items
}

func measure(name string, threads bool) {
	var rounds []float64
	for i := 0; i < 5; i++ {
		rounds = append(rounds, through(threads))
	}
	sort.Float64s(rounds)
	fmt.Printf("%s %.0f ns\n", name, rounds[2])
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "channel":
		measure("go-channel", false)
		measure("go-channel-threads", true)
	case len(os.Args) == 2 && os.Args[1] == "echo":
		listener := listen()
		for {
			conn, err := listener.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go echo(conn)
		}
	case len(os.Args) == 2 && os.Args[1] == "http":
		log.Fatal(http.Serve(listen(), http.HandlerFunc(hello)))
	case len(os.Args) == 4 && os.Args[1] == "http":
		log.Fatal(http.ServeTLS(listen(), http.HandlerFunc(hello), os.Args[2], os.Args[3]))
	case len(os.Args) == 3 && os.Args[1] == "sleep":
		n, _ := strconv.Atoi(os.Args[2])
		for i := 0; i < n; i++ {
			go time.Sleep(time.Hour)
		}
		time.Sleep(100 * time.Millisecond)
		fmt.Println("sleeping", n)
		time.Sleep(time.Hour)
	default:
		log.Fatal("usage: go channel | echo | http [CERT KEY] | sleep N")
	}
}
