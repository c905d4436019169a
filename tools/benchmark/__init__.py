"""The parts of tools/bench: proxies side by side, measured in one run.

system.py     what /proc says: cores, CPU time, memory; free ports
processes.py  starts the processes that take part, and ends every one of them
workload.py   the request, the response and the routes that every figure is about, and a client of our own
peers.py      the configuration of each proxy
load.py       wrk
rounds.py     CPU per request in interleaved rounds
counts.py     what does not depend on the machine's mood: instructions, system calls, bytes, start
summary.py    medians, minima, ratios
report.py     the tables for people and the JSON
chart.py      the SVG
cli.py        the command line
"""
