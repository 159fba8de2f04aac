// SPDX-License-Identifier: MIT

// Go: the end points of bench/arena that need no database, on net/http and encoding/json.
//
//	arena DIR [TLS]    DIR as for bench/arena/arena; TLS: only over TLS, with HTTP/2
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

type item struct {
	ID       int      `json:"id"`
	Name     string   `json:"name"`
	Category string   `json:"category"`
	Price    int      `json:"price"`
	Quantity int      `json:"quantity"`
	Active   bool     `json:"active"`
	Tags     []string `json:"tags"`
	Rating   struct {
		Score int `json:"score"`
		Count int `json:"count"`
	} `json:"rating"`
	Total int `json:"total"`
}

var dataset []item

func sum(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	a, err := strconv.Atoi(query.Get("a"))
	b, err2 := strconv.Atoi(query.Get("b"))
	if err != nil || err2 != nil {
		http.Error(w, "not a number", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, a+b)
}

func ok(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok"))
}

func totals(w http.ResponseWriter, r *http.Request) {
	count, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/json/"))
	m, err2 := strconv.Atoi(r.URL.Query().Get("m"))
	if err != nil || err2 != nil || count < 0 {
		http.Error(w, "not a number", http.StatusBadRequest)
		return
	}
	if count > len(dataset) {
		count = len(dataset)
	}
	items := make([]item, count)
	copy(items, dataset)
	for i := range items {
		items[i].Total = items[i].Price * items[i].Quantity * m
	}
	body, err := json.Marshal(struct {
		Items []item `json:"items"`
		Count int    `json:"count"`
	}{items, count})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func main() {
	dir := os.Args[1]
	text, err := os.ReadFile(dir + "/data/dataset.json")
	if err == nil {
		err = json.Unmarshal(text, &dataset)
	}
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/baseline11", sum)
	http.HandleFunc("/baseline2", sum)
	http.HandleFunc("/pipeline", ok)
	http.HandleFunc("/json/", totals)
	http.Handle("/static/",
		http.StripPrefix("/static/", http.FileServer(http.Dir(dir+"/data/static"))))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	if len(os.Args) > 2 {
		err = http.ServeTLS(listener, nil, dir+"/certs/server.crt", dir+"/certs/server.key")
	} else {
		err = http.Serve(listener, nil)
	}
	log.Fatal(err)
}
