"""The parts of tools/bench: proxies side by side, measured in one run.

system.py     what /proc says: cores, CPU time, memory; free ports
processes.py  starts the processes that take part, and ends every one of them
workload.py   the request, the response and the routes that every figure is about, and a client of our own
scenarios.py  the rows of "CPU per request": protocols, load, bodies
peers.py      the proxies; each has a file with its configuration: nginx.py, haproxy.py, nghttpx.py, convoy.py
certificate.py  the certificate of the rows with TLS, and what is agreed on
backends.py   the backends of a row, and what they count (HTTP/2: h2_backend.cc)
load.py       what makes the load: wrk, h2load, our handshakes.cc
probe.py      whether a proxy answers what a row is about
running.py    one proxy that runs
rounds.py     CPU per request in interleaved rounds
rows.py       row by row, and what fails in them
counts.py     what does not depend on the machine's mood: instructions, system calls, bytes, start
summary.py    medians, minima, ratios
report.py     the tables for people and the JSON
chart.py      the SVG
cli.py        the command line
"""
