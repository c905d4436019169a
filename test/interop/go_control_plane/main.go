// A control plane on github.com/envoyproxy/go-control-plane: snapshots in its cache, delta ADS from its server.
// A test tells it over standard input what to serve, one JSON object a line,
//
//	{"node": "n", "version": "1", "clusters": [...], "endpoints": [...], "routes": [...], "listeners": [...]}
//
// with Envoy's resources as JSON, and reads on standard output what happens, one JSON object a line (event). It ends
// when its standard input does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	// Types that resources may hold as Any.
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// What standard output says: Kind is ready, served, opened, request or response.
type event struct {
	Kind    string `json:"kind"`
	Address string `json:"address,omitempty"` // ready
	Version string `json:"version,omitempty"` // served: the snapshot's; response: system_version_info
	Error   string `json:"error,omitempty"`   // served: why it is not; request: error_detail's message

	Stream      int64             `json:"stream,omitempty"`
	Type        string            `json:"type,omitempty"`
	Node        string            `json:"node,omitempty"`
	Nonce       string            `json:"nonce,omitempty"`
	Subscribe   []string          `json:"subscribe,omitempty"`
	Unsubscribe []string          `json:"unsubscribe,omitempty"`
	Initial     map[string]string `json:"initial,omitempty"` // initial_resource_versions
	Details     []detail          `json:"details,omitempty"` // error_detail's
	Resources   map[string]string `json:"resources,omitempty"`
	Removed     []string          `json:"removed,omitempty"`
}

// One detail of a NACK, as it came.
type detail struct {
	Type  string `json:"type"`
	Value []byte `json:"value"` // base64
}

type reporter struct {
	mutex sync.Mutex
	out   *json.Encoder
}

func (r *reporter) say(e event) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if err := r.out.Encode(e); err != nil {
		os.Exit(1) // the test is gone
	}
}

func (r *reporter) callbacks() server.CallbackFuncs {
	return server.CallbackFuncs{
		DeltaStreamOpenFunc: func(_ context.Context, stream int64, _ string) error {
			r.say(event{Kind: "opened", Stream: stream})
			return nil
		},
		StreamDeltaRequestFunc: func(stream int64, request *discovery.DeltaDiscoveryRequest) error {
			e := event{
				Kind:        "request",
				Stream:      stream,
				Type:        request.GetTypeUrl(),
				Node:        request.GetNode().GetId(),
				Nonce:       request.GetResponseNonce(),
				Subscribe:   request.GetResourceNamesSubscribe(),
				Unsubscribe: request.GetResourceNamesUnsubscribe(),
				Initial:     request.GetInitialResourceVersions(),
				Error:       request.GetErrorDetail().GetMessage(),
			}
			for _, d := range request.GetErrorDetail().GetDetails() {
				e.Details = append(e.Details, detail{Type: d.GetTypeUrl(), Value: d.GetValue()})
			}
			r.say(e)
			return nil
		},
		StreamDeltaResponseFunc: func(
			stream int64, _ *discovery.DeltaDiscoveryRequest, response *discovery.DeltaDiscoveryResponse,
		) {
			e := event{
				Kind:      "response",
				Stream:    stream,
				Type:      response.GetTypeUrl(),
				Version:   response.GetSystemVersionInfo(),
				Nonce:     response.GetNonce(),
				Resources: map[string]string{},
				Removed:   response.GetRemovedResources(),
			}
			for _, sent := range response.GetResources() {
				e.Resources[sent.GetName()] = sent.GetVersion()
			}
			r.say(e)
		},
	}
}

// A line of standard input.
type snapshot struct {
	Node      string            `json:"node"`
	Version   string            `json:"version"`
	Clusters  []json.RawMessage `json:"clusters"`
	Endpoints []json.RawMessage `json:"endpoints"`
	Routes    []json.RawMessage `json:"routes"`
	Listeners []json.RawMessage `json:"listeners"`
}

func parse[M proto.Message](texts []json.RawMessage, make func() M) ([]types.Resource, error) {
	var parsed []types.Resource
	for _, text := range texts {
		message := make()
		if err := protojson.Unmarshal(text, message); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		parsed = append(parsed, message)
	}
	return parsed, nil
}

func serve(snapshots cache.SnapshotCache, line []byte) (string, error) {
	var wanted snapshot
	if err := json.Unmarshal(line, &wanted); err != nil {
		return "", err
	}
	clusters, err := parse(wanted.Clusters, func() *cluster.Cluster { return &cluster.Cluster{} })
	if err != nil {
		return "", err
	}
	endpoints, err := parse(wanted.Endpoints, func() *endpoint.ClusterLoadAssignment {
		return &endpoint.ClusterLoadAssignment{}
	})
	if err != nil {
		return "", err
	}
	routes, err := parse(wanted.Routes, func() *route.RouteConfiguration { return &route.RouteConfiguration{} })
	if err != nil {
		return "", err
	}
	listeners, err := parse(wanted.Listeners, func() *listener.Listener { return &listener.Listener{} })
	if err != nil {
		return "", err
	}
	made, err := cache.NewSnapshot(wanted.Version, map[resource.Type][]types.Resource{
		resource.ClusterType:  clusters,
		resource.EndpointType: endpoints,
		resource.RouteType:    routes,
		resource.ListenerType: listeners,
	})
	if err != nil {
		return "", err
	}
	return wanted.Version, snapshots.SetSnapshot(context.Background(), wanted.Node, made)
}

func run(address string, input *os.File, report *reporter) error {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	// true: responses in ADS's order, clusters before endpoints before listeners before routes.
	snapshots := cache.NewSnapshotCache(true, cache.IDHash{}, nil)
	peer := grpc.NewServer()
	ads := server.NewServer(context.Background(), snapshots, report.callbacks())
	discovery.RegisterAggregatedDiscoveryServiceServer(peer, ads)
	report.say(event{Kind: "ready", Address: socket.Addr().String()})
	started := false

	lines := bufio.NewReader(input)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil // the test's end
		}
		version, err := serve(snapshots, line)
		if err != nil {
			report.say(event{Kind: "served", Version: version, Error: err.Error()})
			continue
		}
		report.say(event{Kind: "served", Version: version})
		if !started {
			// The first node finds the first snapshot.
			started = true
			go func() { _ = peer.Serve(socket) }()
		}
	}
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to serve delta ADS on")
	flag.Parse()
	report := &reporter{out: json.NewEncoder(os.Stdout)}
	if err := run(*address, os.Stdin, report); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
