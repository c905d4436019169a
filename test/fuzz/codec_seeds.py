#!/usr/bin/env python3
"""Makes seeds of h1_exchange_fuzz_test, h2_codec_server_fuzz_test and h2_codec_client_fuzz_test:

  python3 test/fuzz/codec_seeds.py

A seed is a script, of which script.h tells, and the bytes of the wire. HTTP/2 server: the choice of options, whether
extended CONNECT is allowed, then for each read its size less 1, a step of each stream that hears of something, and a step
of the connection. Its client: options, how many requests less 1, the kind of each, and the rest likewise. HTTP/1.x: the
role, and for the client the kind of its request. What the steps mean is in the targets. Seeds of the corpora that are not
made here were made by hand; they stay as they are.
"""

import pathlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
MAX_STREAMS, INITIAL_WINDOW = 3, 4
PROTOCOL_ERROR, INTERNAL_ERROR = 1, 2

ALL = 255  # a read of all that is there
NOTHING = 0  # a stream's step
LEAVE = 8  # the connection's: nothing happens, nothing is taken of its output
STALLED = 5  # likewise: looks for streams that stand still
GO_AWAY = 0xe3  # likewise
ONE = 9  # the connection's: the first stream makes a step, all output is taken
EOF = 1  # where the script is asked whether the client has ended


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    """Without indexing and without Huffman coding; both are short."""
    return bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def headers(stream, fields, flags=0):
    return frame(HEADERS, END_HEADERS | flags, stream, b"".join(literal(name, value) for name, value in fields))


def request(method, stream, flags=0, more=()):
    return headers(stream, [(":method", method), (":scheme", "http"), (":path", "/"), (":authority", "a.test"), *more], flags)


def get(stream):
    return request("GET", stream, END_STREAM)


def post(stream, *more):
    return request("POST", stream, 0, more)


def connect(stream):
    return headers(stream, [(":method", "CONNECT"), (":authority", "a.test:80")])


def websocket(stream):
    return headers(stream, [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"),
                            (":authority", "a.test")])


def answer(stream, status="200", flags=0, more=()):
    return headers(stream, [(":status", status), *more], flags)


def data(stream, payload=b"", flags=0):
    return frame(DATA, flags, stream, payload)


def settings(name, value):
    return frame(SETTINGS, 0, 0, name.to_bytes(2, "big") + value.to_bytes(4, "big"))


def rst_stream(stream, code):
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def window_update(stream, bytes_more):
    return frame(WINDOW_UPDATE, 0, stream, bytes_more.to_bytes(4, "big"))


TRAILERS = [("grpc-status", "0")]
START = 24 + 9 + 9  # preface, SETTINGS and their acknowledgement, which the server's target puts before the frames
SHUT = settings(INITIAL_WINDOW, 0)
DRAIN_PONG = frame(PING, 1, 0, b"convoydr")  # the answer to the PING that comes with the first GOAWAY
UNREAD_SETTINGS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)  # ours are not acknowledged


def header_bomb():
    """One field of 1 KiB for the table, then by its number, 1 byte each time."""
    value = b"x" * 1024
    block = b"\x40\x01b\x7f" + bytes([(len(value) - 127) % 128 + 128, (len(value) - 127) // 128]) + value + b"\xbe" * 60
    return frame(HEADERS, END_HEADERS | END_STREAM, 1, block)


SERVER = {
    "good_known_length": ([0, 0, ALL, 0x21, ONE, 5, 2], get(1)),
    "good_no_content": ([0, 0, ALL, 0x62], get(1)),
    "good_awkward_fields": ([0, 0, ALL, 0x82], get(1)),
    "good_stalled_then_reset": ([0, 0, ALL, 3, 200, STALLED, 0, STALLED], SHUT + get(1)),
    "good_stalled_then_reset_request_open": ([0, 0, ALL, 3, 200, STALLED, 0, STALLED], SHUT + post(1)),
    "good_went_away": ([0, 0, START + len(get(1)) - 1, 2, GO_AWAY, ALL], get(1) + DRAIN_PONG + get(3)),
    "bad_header_block_behind_the_last_word": ([0, 0, START + len(get(1)) - 1, 2, GO_AWAY, ALL], get(1) + DRAIN_PONG +
                                              frame(HEADERS, END_HEADERS, 3, b"\xff" * 5)),
    "good_streams_refused_before_settings_are_read": ([3, 0, ALL, NOTHING, NOTHING, NOTHING, NOTHING, LEAVE], UNREAD_SETTINGS +
                                                      b"".join(post(stream) for stream in range(1, 13, 2))),
    "good_host": ([0, 0, ALL, 2], headers(1, [(":method", "GET"), (":scheme", "https"), (":path", "/"), ("host", "a.test")],
                                          END_STREAM)),
    "good_server_wide_options": ([0, 0, ALL, 2], headers(1, [(":method", "OPTIONS"), (":scheme", "http"), (":path", "*"),
                                                             (":authority", "a.test")], END_STREAM)),
    "good_empty_cookies": ([0, 0, ALL, 2], request("GET", 1, END_STREAM, [("cookie", "a=1"), ("cookie", ""), ("cookie", "")])),
    "bad_no_authority": ([0, 0, ALL, 2], headers(1, [(":method", "GET"), (":scheme", "http"), (":path", "/")], END_STREAM)),
    "bad_number_of_an_ended_stream": ([0, 0, START + len(get(1)) - 1, 2, LEAVE, ALL], get(1) + get(1)),
    "good_awkward_fields_small_table": ([4, 0, ALL, 0x82, 0x82], get(1) + get(3)),
    "good_left_unread": ([0, 0, ALL, 12, 2], post(1) + data(1, b"x")),
    "good_trailers_alone": ([0, 0, ALL, 1, ONE, 6], get(1)),
    "good_trailers_wait": ([0, 0, ALL, 7, 50, LEAVE], SHUT + get(1) + window_update(1, 100) + window_update(1, 200)),
    "good_upgrade": ([0, 1, ALL, 13, 4, 3, 5, 1], websocket(1) + data(1, b"hi") + data(1, flags=END_STREAM)),
    "good_upgrade_ends_first": ([0, 1, ALL, 0x8d], websocket(1) + data(1, b"hi") + data(1, flags=END_STREAM)),
    "good_connect_opened": ([0, 0, ALL, 13, 4, 3, 5, 1], connect(1) + data(1, b"hi") + data(1, flags=END_STREAM)),
    "bad_trailers_in_a_tunnel": ([0, 0, ALL, 13], connect(1) + headers(1, TRAILERS, END_STREAM)),
    "good_output_full": ([0, 0, ALL, 3, 255, 3, 255, 3, 255, ONE], get(1) + get(3) + get(5)),
    "good_held_back": ([0, 0, ALL, 0x82, 0x82, 0x82, LEAVE, 127, 0x82, 0x82, LEAVE, LEAVE, ONE, ALL, 0x82, ONE],
                       b"".join(get(stream) for stream in range(1, 13, 2))),
    "good_send_buffer_full": ([0, 0, ALL, 1, ONE, 4, 255, NOTHING, 128, LEAVE],
                              SHUT + get(1) + b"".join(window_update(1, 400) for _ in range(3))),
    "good_send_buffer_full_given_up": ([0, 0, ALL, 1, ONE, 4, 255, 255], SHUT + get(1)),
    "good_end_in_a_request": ([0, 0, ALL, NOTHING, LEAVE, EOF, LEAVE], post(1) + data(1, b"x")),
    "good_end_with_an_answer_waiting": ([0, 0, ALL, 3, 255, LEAVE, EOF, LEAVE], SHUT + get(1)),
    "good_end_before_the_answer": ([0, 0, ALL, NOTHING, LEAVE, EOF, ONE, 3, 255], SHUT + get(1)),
    "good_end_before_the_trailers": ([0, 0, ALL, NOTHING, LEAVE, EOF, ONE, 7, 255, ONE], SHUT + get(1)),
    "good_going_away_explained": ([0, 0, ALL, NOTHING, 0xf4, ONE, 2], get(1)),
    "good_request_behind_the_last_word": ([0, 0, START + len(post(1)) - 1, NOTHING, 0xe4, ALL], post(1) + post(3)),
    "good_failed": ([0, 0, ALL, 0x4b], post(1)),
    "good_reset_while_paused": ([0, 0, ALL, 9, NOTHING, ONE, 11], post(1) + data(1, b"hello")),
    "good_paused_to_the_end": ([0, 0, ALL, 9, 3, 20, LEAVE], SHUT + post(1) + data(1, b"hello", END_STREAM)),
    "good_reset_by_the_client_while_paused": ([0, 0, ALL, 9], post(1) + data(1, b"hello") + rst_stream(1, 8)),
    "good_given_up_behind_a_window": ([0, 0, ALL, 3, 20, 0x8b], SHUT + post(1) + data(1, b"x") + window_update(1, 200)),
    "good_on_their_way_to_a_reset_stream": ([0, 0, ALL, 11], post(1) + data(1, b"x") + headers(1, TRAILERS, END_STREAM) + post(3) +
                                            rst_stream(3, 8)),
    "good_expects_and_other_expectations": ([0, 0, ALL, 2], post(1, ("expect", "100-continue")) + post(3, ("expect", "more"))),
    "good_length_and_trailers": ([0, 0, ALL, 2], post(1, ("content-length", "2"), ("te", "trailers")) + data(1, b"ab") +
                                 headers(1, TRAILERS, END_STREAM)),
    "good_reset_inside_the_trailers": ([0, 0, START + len(post(1)) + 14 - 1, NOTHING, ONE, 0x4b, ALL],
                                       post(1) + frame(HEADERS, END_STREAM, 1, literal("a", "b")) +
                                       frame(CONTINUATION, END_HEADERS, 1, literal("c", "d"))),
    "good_empty_length": ([0, 0, ALL, 2], post(1, ("content-length", "0")) + data(1, flags=END_STREAM)),
    "bad_refused_head": ([0, 0, ALL, NOTHING], headers(1, [("host", "a b"), (":method", "HEAD")], END_STREAM)),
    "flood_header_bytes": ([0, 0, ALL, NOTHING], header_bomb()),
    "flood_reset": ([0, 0, ALL, NOTHING, LEAVE], b"".join(get(stream) + rst_stream(stream, 8) for stream in range(1, 31, 2))),
    "flood_priority": ([0, 0, ALL, NOTHING], frame(PRIORITY, 0, 1, bytes(5)) * 110),
    "flood_window": ([0, 0, ALL, NOTHING], window_update(0, 1) * 110),
    "flood_empty_data": ([0, 0, ALL, NOTHING], post(1) + data(1) * 110),
    "good_large_budget": ([8, 0, ALL, NOTHING, LEAVE], b"".join(frame(PING, 0, 0, b"12345678") for _ in range(150))),
}

GET, HEAD, POST, CONNECT, UPGRADE, POST_KNOWN, AWKWARD = 0, 1, 2, 3, 4, 6, 128

CLIENT = {
    "good_post_of_known_length": ([0, 0, POST_KNOWN, ALL, NOTHING, ONE, 3, 2], answer(1, "200", END_STREAM)),
    "good_awkward_fields": ([0, 0, AWKWARD, ALL], answer(1, "200", END_STREAM)),
    "good_awkward_upgrade": ([0, 0, AWKWARD + UPGRADE, ALL], answer(1, "200") + data(1, b"hi", END_STREAM)),
    "good_fifth_waits": ([0, 3, GET, GET, GET, GET, 32, 3, POST, 0, 0x48, 3, 10, 20, 7, ALL],
                         settings(MAX_STREAMS, 4) + answer(1, "200", END_STREAM) + answer(9, "200", END_STREAM)),
    "good_fifth_waits_with_trailers": ([0, 3, GET, GET, GET, GET, 32, 3, POST, 0, 0x48, 4, 20, 7, ALL],
                                       settings(MAX_STREAMS, 4) + answer(1, "200", END_STREAM) + answer(9, "200", END_STREAM)),
    "good_fifth_given_up": ([0, 3, GET, GET, GET, GET, 32, 3, POST, 0, 0x48, 7, 20, 7, ALL],
                            settings(MAX_STREAMS, 4) + answer(1, "200", END_STREAM)),
    "good_output_full": ([0, 2, POST, POST, POST, 0, 4, 3, 255, 3, 255, 3, 255, 0, ONE], answer(1, "200", END_STREAM)),
    "good_trailers_heard": ([0, 0, GET, ALL], answer(1) + data(1, b"ab") + headers(1, TRAILERS, END_STREAM)),
    "good_length_and_trailers": ([0, 0, GET, ALL], answer(1, "200", 0, [("content-length", "2")]) + data(1, b"ab") +
                                 headers(1, TRAILERS, END_STREAM)),
    "good_trailers_of_no_content": ([0, 0, GET, ALL], answer(1, "204") + headers(1, TRAILERS, END_STREAM)),
    "good_trailers_of_a_head": ([0, 0, HEAD, ALL], answer(1, "200") + headers(1, TRAILERS, END_STREAM)),
    "good_reset_while_paused": ([0, 0, GET, ALL, 5, NOTHING, ONE, 7], answer(1) + data(1, b"hello")),
    "good_answered_before_it_has_left": ([0, 0, POST, 32, ONE, 3, 20, ALL], SHUT + answer(1, "413", END_STREAM)),
    "good_tunnel_paused_to_the_end": ([0, 0, CONNECT, ALL, 5, 3, 20, 7], SHUT + answer(1) + data(1, b"hello", END_STREAM)),
    "good_reset_in_the_body": ([0, 0, GET, ALL], answer(1) + data(1, b"ab") + rst_stream(1, INTERNAL_ERROR)),
    "good_reset_with_a_complaint": ([0, 0, GET, ALL], rst_stream(1, PROTOCOL_ERROR)),
    "good_on_their_way_to_a_reset_stream": ([0, 0, GET, ALL, 7], answer(1) + data(1, b"hello") + headers(1, TRAILERS, END_STREAM)),
    "good_lost_in_the_body": ([0, 0, GET, ALL, NOTHING, 7] + [7] * 9 + [EOF], answer(1) + data(1, b"ab")),
    "good_lost_with_a_request_half_sent": ([0, 0, POST, ALL, ONE, 1, 9], answer(1, "103")),
    "good_no_streams_for_now": ([0, 0, GET, ALL], settings(MAX_STREAMS, 0) + answer(1, "200", END_STREAM)),
    "good_small_table": ([4, 1, GET, GET, ALL], answer(1, "200", END_STREAM) + answer(3, "200", END_STREAM)),
    "bad_too_many_informational": ([0, 0, GET, ALL], answer(1, "103") * 3),
    "bad_trailers_in_a_tunnel": ([0, 0, CONNECT, ALL], answer(1) + headers(1, TRAILERS, END_STREAM)),
    "bad_trailers_larger_than_allowed": ([0, 0, GET, ALL], answer(1) + headers(1, [("a", "x" * 90)], END_STREAM)),
    "flood_continuation": ([0, 0, GET, ALL, NOTHING], frame(HEADERS, 0, 1, literal(":status", "200")) +
                           frame(CONTINUATION, 0, 1) * 110),
    "flood_header_bytes": ([0, 0, GET, ALL, NOTHING], header_bomb()),
}

H1_SERVER, H1_CLIENT = 0, 1  # the roles
IN_PLACE = 3  # the connection's step: nothing is taken of its output
SPLICE = 2  # likewise: bytes of a body go on unseen
WHOLE = 1  # where the script is asked how many: all
RAW_TUNNEL = 7
POST_9 = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
ANSWER_9 = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

EXCHANGE = {
    "server_output_full_then_taken": ([H1_SERVER, ALL, 10, 4, IN_PLACE, 7, 0, 0, 4, 0, 128, 2, 3], POST_9 + b"ab"),
    "server_output_full_given_up": ([H1_SERVER, ALL, 10, 4, IN_PLACE, 255], POST_9 + b"ab"),
    "server_body_spliced_to_the_end": ([H1_SERVER, ALL, 0, 0, SPLICE, WHOLE, 11], POST_9 + b"ab"),
    "server_extension_too_long": ([H1_SERVER, ALL, 0], CHUNKED + b"1;" + b"a" * 30 + b"\r\nx\r\n"),
    "server_extensions_too_long_together": ([H1_SERVER, ALL, 0], CHUNKED + b"1;aaaaaaaaaaaa\r\nx\r\n" * 5),
    "client_body_spliced_to_the_end": ([H1_CLIENT, GET, ALL, 0, 0, SPLICE, WHOLE], ANSWER_9 + b"ab"),
    "client_large_piece_into_a_tunnel": ([H1_CLIENT, RAW_TUNNEL, ALL, 4], b"x"),
    "client_paused_and_resumed": ([H1_CLIENT, GET, ALL, 6, 7, 0], ANSWER_9 + b"ab"),
}


def main():
    for folder, seeds in (("h1_exchange", EXCHANGE), ("h2_codec_server", SERVER), ("h2_codec_client", CLIENT)):
        for name, (script, wire) in seeds.items():
            (CORPUS / folder / name).write_bytes(bytes([len(script), *script]) + wire)


if __name__ == "__main__":
    main()
