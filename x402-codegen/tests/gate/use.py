"""What a user does with the generated clients. Run by Python once mypy has passed it."""

import asyncio
import base64
import json
import socket
import time
import traceback
from typing import Any, AsyncIterator, Callable, Iterable, Iterator, Optional

import httpx
from x402.schemas import PaymentRequired, PaymentRequirements

from clients import collisions, example, hostile, maps, openapi_shapes, optional_nullable, pagination, price_free, price_tiered, price_usage, rails, recursion, streaming, unions


def code(work: Callable[[], Any]) -> str:
    try:
        work()
    except Exception as error:
        found = getattr(error, "code", type(error).__name__)
        assert isinstance(found, str)
        return found
    return "nothing was raised"


def quotes_are_what_the_document_says() -> None:
    render = price_tiered.Quotes.render
    Body = price_tiered.RenderBody
    assert render(format="pdf", body=Body(pages=["a"])).most == "0.01"
    assert render(format="png", body=Body(pages=["a"] * 11, hd=True)).most == "0.075"
    assert price_tiered.Quotes.search().most == "0.0015"
    assert price_tiered.Quotes.search(depth=3, region="north pole", x_speed="fast").most == "0.0147"
    assert code(lambda: render(format="gif", body=Body(pages=[]))) == "no_price"
    assert code(lambda: render(format="..", body=Body(pages=[]))) == "invalid_argument"
    usage = price_usage.Quotes.complete(body=price_usage.CompleteBody(prompt="x" * 300))
    assert (usage.kind, usage.most) == ("up-to", "0.00042")


def client(mode: str, total: str = "0.01", **more: Any) -> example.Client:
    budget = example.Budget(total, "0.005")
    return example.Client(example.MockPayer(), budget, transport=example.mock_transport(mode), **more)


def a_call_is_paid_once_within_its_budget() -> None:
    free = client("answer").get_weather(city="lisbon")
    assert (free.value.sky, free.value.temp_c, free.receipt) == ("clear", 18.5, None)
    budget = example.Budget("0.0015", "0.005")
    paying = example.Client(example.MockPayer(), budget, transport=example.mock_transport("pay"))
    receipt = paying.get_weather(city="lisbon").receipt
    assert receipt is not None and (receipt.amount, receipt.attempts, receipt.revision) == ("0.001", 1, 17)
    assert (budget.spent, budget.left) == ("0.001", "0.0005")
    assert code(lambda: paying.get_weather(city="oslo")) == "over_budget"
    assert code(lambda: client("price-rise").get_weather(city="oslo")) == "price_above_contract"
    cheap = example.CallOptions(max_cost="0.0009")
    assert code(lambda: client("pay").get_weather(city="oslo", options=cheap)) == "cost_above_max"
    assert code(lambda: client("pay").get_weather(city="oslo", options=example.CallOptions(dry_run=True))) == "dry_run"
    assert code(lambda: client("timeout").get_weather(city="oslo")) == "unreachable"
    never = client("pay", total="0.001", approve=lambda endpoint, amount, left: False)
    assert code(lambda: never.get_weather(city="oslo")) == "declined"


def refusals_have_names() -> None:
    try:
        client("refuse:rate_limited").get_weather(city="oslo")
    except example.RateLimitedError as error:
        assert (error.retryable, error.action, error.charged, error.status) == (True, "wait", False, 429)
    else:
        raise AssertionError("nothing was raised")
    try:
        client("refuse:__class__").get_weather(city="oslo")
    except example.ServiceError as error:
        assert (error.code, error.retryable, error.action) == ("__class__", False, "stop")


async def who_was_not_reached_and_why_is_told_without_a_header() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        closed = "127.0.0.1:" + str(listener.getsockname()[1])
    options = example.CallOptions(headers={"authorization": "Bearer secret"})

    def check(error: example.Unreachable, host: str, reason: str) -> None:
        assert (error.code, error.action, error.retryable, error.charged) == ("unreachable", "wait", True, False)
        assert (error.method, error.host, error.reason) == ("GET", host, reason)
        assert str(error) == host + " was not reached by GET: " + reason
        assert "secret" not in "".join(traceback.format_exception(error))

    def unreached(base: str, transport: Optional[httpx.BaseTransport], host: str, reason: str) -> None:
        lost = example.Client(example.MockPayer(), example.Budget("1", "1"), base=base, transport=transport)
        try:
            lost.get_weather(city="oslo", options=options)
        except example.Unreachable as error:
            check(error, host, reason)
        else:
            raise AssertionError("nothing was raised")

    unreached("http://" + closed + "/v1/", None, closed, "ECONNREFUSED")
    later = example.AsyncClient(example.MockPayer(), example.Budget("1", "1"), base="http://" + closed)
    try:
        await later.get_weather(city="oslo", options=options)
    except example.Unreachable as error:
        check(error, closed, "ECONNREFUSED")
    else:
        raise AssertionError("nothing was raised")
    await later.aclose()

    def fails(cause: Optional[BaseException]) -> httpx.MockTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("no connection", request=request) from cause

        return httpx.MockTransport(handle)

    base = "https://user:secret@api.example.com"
    unreached(base, fails(None), "api.example.com", "ConnectError")
    unreached(base, fails(socket.gaierror(socket.EAI_NONAME, "unknown")), "api.example.com", "EAI_NONAME")
    unreached(base, fails(OSError("no number")), "api.example.com", "ConnectError")
    unreached(base, example.mock_transport("timeout"), "api.example.com", "ReadTimeout")


def the_same_payment_is_presented_again() -> None:
    sent: list[str] = []
    honest = example.mock_transport("pay")

    def handle(request: httpx.Request) -> httpx.Response:
        payment: Optional[str] = request.headers.get("payment-signature")
        if payment is None:
            return honest.handle_request(request)
        sent.append(payment)
        raise httpx.ReadError("connection reset", request=request)

    budget = example.Budget("1", "1")
    broken = example.Client(example.MockPayer(), budget, transport=httpx.MockTransport(handle), presentations=2)
    try:
        broken.get_weather(city="oslo")
    except example.OutcomeUnknown as error:
        assert (error.charged, error.action, len(sent), len(set(sent))) == ("maybe", "retry-same-id", 2, 1)
        assert budget.spent == "0.001"
    else:
        raise AssertionError("nothing was raised")


async def the_async_client_does_the_same() -> None:
    def fresh(mode: str, budget: example.Budget) -> example.AsyncClient:
        return example.AsyncClient(example.MockPayer(), budget, transport=example.mock_transport(mode))

    budget = example.Budget("0.0015", "0.005")
    paying = fresh("pay", budget)
    both = await asyncio.gather(paying.get_weather(city="a"), paying.get_weather(city="b"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in both) == ["BudgetExceeded", "Paid"]
    await paying.aclose()
    pages = pagination.AsyncClient(pagination.MockPayer(), pagination.Budget("1", "1"), transport=pagination.mock_transport())
    found = [page.value.items[0].id async for page in pages.list_pages(cap="0.002")]
    assert found == [1]


def pages_stop_at_their_cap() -> None:
    pages = pagination.Client(pagination.MockPayer(), pagination.Budget("1", "1"), transport=pagination.mock_transport())
    assert [page.value.items[0].id for page in pages.list_pages(cap="0.002")] == [1]
    assert code(lambda: next(pages.list_pages(cap="0.001"))) == "spend_cap_reached"


def parameters_may_have_any_name() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return httpx.Response(200, json={"items": [], "next": "b" if len(asked) == 1 else None})

    names = collisions.Client(collisions.MockPayer(), collisions.Budget("1", "1"), transport=httpx.MockTransport(handle))
    pages = names.pages_pages(spent="a", response="r", receipt="x", following="f", wire2="w", cap2="c", cap="1")
    assert len(list(pages)) == 2
    assert asked[0] == "cap=c&following=f&receipt=x&response=r&spent=a&wire=w"
    assert asked[1] == asked[0].replace("spent=a", "spent=b")


def sells(module: Any, amount: str, answer: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    """A service that asks for a payment of so many atomic units before each answer."""

    def handle(request: httpx.Request) -> httpx.Response:
        if "payment-signature" in request.headers:
            return answer(request)
        pin = module.PINS[0]
        offer = PaymentRequirements(
            scheme=pin.scheme, network=pin.network, asset=pin.asset, pay_to=pin.pay_to, amount=amount, max_timeout_seconds=60
        )
        terms = PaymentRequired(accepts=[offer]).model_dump_json(by_alias=True, exclude_none=True)
        return httpx.Response(402, json={}, headers={"payment-required": base64.b64encode(terms.encode()).decode()})

    return httpx.MockTransport(handle)


def what_keeps_a_client_from_paying_has_the_same_name_in_every_language() -> None:
    pin = example.PINS[0]
    thief = "0x000000000000000000000000000000000000dEaD"

    def asks(terms: Any, total: str = "1", per_call: str = "1") -> example.Client:
        def handle(request: httpx.Request) -> httpx.Response:
            if "payment-signature" in request.headers:
                return httpx.Response(200, json={"city": "oslo", "tempC": 1, "sky": "clear"})
            return httpx.Response(402, json={}, headers={"payment-required": base64.b64encode(json.dumps(terms).encode()).decode()})

        return example.Client(example.MockPayer(), example.Budget(total, per_call), transport=httpx.MockTransport(handle))

    def shop(amount: str, total: str = "1", per_call: str = "1", pay_to: str = pin.pay_to) -> example.Client:
        offer = {"scheme": pin.scheme, "network": pin.network, "asset": pin.asset, "payTo": pay_to, "amount": amount, "maxTimeoutSeconds": 60}
        return asks({"x402Version": 2, "accepts": [offer]}, total, per_call)

    poor = shop("1000", total="0.0015")
    poor.get_weather(city="oslo")
    gift = sells(price_free, "10000", lambda request: httpx.Response(200, json={}))
    found: dict[str, dict[str, str]] = {}

    def end(name: str, work: Callable[[], Any]) -> None:
        try:
            work()
        except (example.CallError, price_free.CallError) as error:
            assert (error.charged, error.retryable) == (False, False), name
            found[name] = {"code": error.code, "action": error.action}

    cheap = example.CallOptions(max_cost="0.0009")
    end("more than a call may cost by the budget", lambda: shop("1000", per_call="0.0005").get_weather(city="oslo"))
    end("more than the budget ever had", lambda: shop("1000", total="0.0005").get_weather(city="oslo"))
    end("more than the budget has left", lambda: poor.get_weather(city="oslo"))
    end("more than the caller's most", lambda: shop("1000").get_weather(city="oslo", options=cheap))
    end("more than the document's most", lambda: shop("2000").get_weather(city="oslo"))
    end("more than both", lambda: shop("2000").get_weather(city="oslo", options=cheap))
    end("anything for a free call", lambda: price_free.Client(price_free.MockPayer(), price_free.Budget("1", "1"), transport=gift).status())
    end("nothing that may be paid", lambda: shop("1000", pay_to=thief).get_weather(city="oslo"))
    end("no payment at all", lambda: asks({"x402Version": 2, "accepts": []}).get_weather(city="oslo"))
    end("too much for somebody else", lambda: shop("2000", total="0.001", pay_to=thief).get_weather(city="oslo"))
    end("nobody knows what", lambda: asks(7).get_weather(city="oslo"))
    with open("refusals.json", encoding="utf-8") as names:
        assert found == json.load(names)

    for budget, said in (
        (example.Budget("1", "0.0005"), ("over_call_cap", "0.001", "0.0005", "needs 0.001, and 0.0005 is the most for a call")),
        (example.Budget("0.0007", "1"), ("over_budget", "0.001", "0.0007", "needs 0.001, and 0.0007 is left")),
        (example.Budget("1", "1", {"getWeather": "0.0002"}), ("over_endpoint_cap", "0.001", "0.0002", "needs 0.001, and 0.0002 is left for the endpoint")),
    ):
        try:
            example.Client(example.MockPayer(), budget, transport=example.mock_transport("pay")).get_weather(city="oslo")
        except example.BudgetExceeded as error:
            assert (error.code, error.needed, error.left, str(error)) == said
        else:
            raise AssertionError("nothing was raised")


def a_page_that_names_no_next_one_was_paid_all_the_same() -> None:
    def client(answer: str) -> pagination.Client:
        transport = sells(pagination, "2000", lambda request: httpx.Response(200, content=answer.encode()))
        return pagination.Client(pagination.MockPayer(), pagination.Budget("1", "1"), transport=transport)

    for meta in ('"text"', '{"next":{"a":1}}', '{"next":"7"}', '{"next":true}', '{"next":1.5}', "[1]", "[" * 100_000 + "]" * 100_000):
        pages = client('{"items":[],"meta":' + meta + "}").walk_pages(cap="1")
        try:
            assert next(pages).value.items == []
            next(pages)
        except pagination.UnexpectedAnswer as error:
            assert error.charged is True and error.receipt is not None and error.receipt.amount == "0.002"
        else:
            raise AssertionError(meta)
    for meta in ("null", "{}", '{"next":null}', '{"next":""}'):
        assert len(list(client('{"items":[],"meta":' + meta + "}").walk_pages(cap="1"))) == 1
    assert code(lambda: list(client('{"items":[],"meta":{"next":7}}').walk_pages(cap="0.005"))) == "spend_cap_reached"
    assert code(lambda: list(client('{"items":[]}').roll_pages(cap="1"))) == "unexpected_answer"


def what_a_refusal_says_is_read_with_care() -> None:
    def refused(status: int, text: str, after: str = "") -> example.ServiceError:
        headers = [(b"retry-after", after.encode())] if after else []
        transport = httpx.MockTransport(lambda request: httpx.Response(status, content=text.encode(), headers=headers))
        try:
            example.Client(example.MockPayer(), example.Budget("1", "1"), transport=transport).get_weather(city="oslo")
        except example.ServiceError as error:
            return error
        raise AssertionError("nothing was raised")

    assert refused(500, "[" * 60_000).code == "http_500"
    assert refused(500, '{"code":"","retryAfter":true}').retry_after is None
    for after, seconds in (("7", 7), ("\u00b2", None), ("\u0664\u0665", None), ("-1", None), ("9" * 5000, None)):
        error = refused(429, '{"code":"rate_limited"}', after)
        assert (error.code, error.retry_after) == ("rate_limited", seconds), after


def each_way_to_pay_has_its_own_payee() -> None:
    first, second = rails.PINS[0], rails.PINS[1]
    assert first.pay_to != second.pay_to

    def pays(network: str, asset: str, pay_to: str, amount: str = "1000") -> str:
        offer = PaymentRequirements(
            scheme="exact", network=network, asset=asset, pay_to=pay_to, amount=amount, max_timeout_seconds=60
        )
        terms = PaymentRequired(accepts=[offer]).model_dump_json(by_alias=True, exclude_none=True)

        def handle(request: httpx.Request) -> httpx.Response:
            if "payment-signature" in request.headers:
                return httpx.Response(200, json={})
            return httpx.Response(402, json={}, headers={"payment-required": base64.b64encode(terms.encode()).decode()})

        client = rails.Client(rails.MockPayer(), rails.Budget("1", "1"), transport=httpx.MockTransport(handle))
        return code(lambda: client.get())

    for pin in (first, second):
        assert pays(pin.network, pin.asset, pin.pay_to) == "nothing was raised"
        assert pays(pin.network, pin.asset.lower(), pin.pay_to.upper().replace("0X", "0x")) == "nothing was raised"
    assert pays(first.network, first.asset, second.pay_to) == "nothing_acceptable"
    assert pays(second.network, second.asset, first.pay_to) == "nothing_acceptable"
    assert pays(first.network, second.asset, first.pay_to) == "nothing_acceptable"
    for amount in ("\u00b2", "\u0661", "-1", "1.0", "9" * 79):
        assert pays(first.network, first.asset, first.pay_to, amount) == "nothing_acceptable"


def streams_are_read_as_they_come() -> None:
    text = 'data: {"text":"a"}\r\n\r\n: note\n\ndata: {"text":\ndata: "b"}\n\ndata: [DONE]\n\n'
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=text.encode()))
    chat = streaming.Client(streaming.MockPayer(), streaming.Budget("1", "1"), transport=transport)
    events = chat.chat(body=streaming.ChatBody(prompt="x")).value
    assert [event.text for event in events] == ["a", "b"]


class Parts(httpx.SyncByteStream):
    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts


def reads(parts: Iterable[bytes]) -> list[str]:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Parts(parts)))
    chat = streaming.Client(streaming.MockPayer(), streaming.Budget("1", "1"), transport=transport)
    return [event.text for event in chat.chat(body=streaming.ChatBody(prompt="x")).value]


def events_end_at_empty_lines_wherever_parts_end() -> None:
    for end in ("\n", "\r\n", "\r"):
        lines = ['\ufeffdata: {"text":"a\u2028\u0085"}', ":", "", 'data:{"text":', 'data: "\U0001f600"}', "id", "", "", 'data: {"text":"z"}']
        text = end.join(lines)
        whole = (text + end + end).encode()
        for parts in ([whole], [bytes([byte]) for byte in whole], [text.encode()]):
            assert reads(parts) == ["a\u2028\u0085", "\U0001f600", "z"], (end, len(parts))


def an_event_that_never_ends_is_given_up() -> None:
    mebibyte = b"x" * 1024 * 1024
    assert len(reads([b'data: {"text":"' + mebibyte + b'"}\n\n'] * 20)) == 20
    for part in (mebibyte, b"data: " + mebibyte + b"\n", b"data\n" * 1024 * 1024):
        assert code(lambda: reads([part] * 20)) == "unexpected_answer"

    def broken() -> Iterator[bytes]:
        yield b'data: {"text":"a"}\n\n'
        raise httpx.ReadError("connection reset")

    assert code(lambda: reads(broken())) == "unexpected_answer"


class Drops(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body without an end."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self.given = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(self._pause)
            self.given += 1
            yield b" " * 1024

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self._pause)
            self.given += 1
            yield b" " * 1024


async def an_answer_without_an_end_is_given_up() -> None:
    """By its length, and by the time of one attempt, paid or not."""
    for pause, expected in ((0.0, ("unexpected_answer", "unexpected_answer", "http_500")), (0.05, ("outcome_unknown", "unreachable", "unreachable"))):
        for status, paid, code_ in ((200, True, expected[0]), (200, False, expected[1]), (500, False, expected[2])):
            drops = Drops(pause)

            def answer(request: httpx.Request) -> httpx.Response:
                return httpx.Response(status, stream=drops)

            transport = sells(example, "1000", answer) if paid else httpx.MockTransport(answer)
            options: dict[str, Any] = {"transport": transport, "max_answer_bytes": 65536, "attempt_seconds": 0.4 if pause else 60.0, "presentations": 1}
            now = example.Client(example.MockPayer(), example.Budget("1", "1"), **options)
            later = example.AsyncClient(example.MockPayer(), example.Budget("1", "1"), **options)
            found: list[example.CallError] = []
            try:
                now.get_weather(city="oslo")
            except example.CallError as error:
                found.append(error)
            try:
                await later.get_weather(city="oslo")
            except example.CallError as error:
                found.append(error)
            assert [error.code for error in found] == [code_] * 2, (pause, status, paid, found)
            assert drops.given < 1000
            if code_ == "unexpected_answer":
                assert all(error.charged is paid for error in found)
            await later.aclose()


def what_was_paid_for_and_is_not_what_the_document_says_is_not_lost() -> None:
    transport = sells(example, "1000", lambda request: httpx.Response(200, content="<p>21 \u00b0C</p>".encode()))
    client = example.Client(example.MockPayer(), example.Budget("1", "1"), transport=transport)
    try:
        client.get_weather(city="oslo")
    except example.UnexpectedAnswer as error:
        assert (error.charged, error.body) == (True, "<p>21 \u00b0C</p>".encode())
    else:
        raise AssertionError("HTML is no weather")


def a_server_that_fails_without_a_word_is_asked_again_with_the_same_payment() -> None:
    def fails(status: int) -> example.CallError:
        transport = sells(example, "1000", lambda request: httpx.Response(status, content=b"oops"))
        client = example.Client(example.MockPayer(), example.Budget("1", "1"), transport=transport, presentations=2)
        try:
            client.get_weather(city="oslo")
        except example.CallError as error:
            return error
        raise AssertionError("nothing was raised")

    failed = fails(500)
    assert isinstance(failed, example.OutcomeUnknown) and failed.receipt.attempts == 2
    moved = fails(404)
    assert (moved.code, moved.charged, moved.action) == ("http_404", "maybe", "ask-human")


def metered(end: str) -> httpx.MockTransport:
    text = 'data: {"text":"a"}\n\n' + end
    return sells(streaming, "50000", lambda request: httpx.Response(200, content=text.encode()))


async def the_end_of_a_stream_is_about_its_payment() -> None:
    settled = {"success": True, "transaction": "0x01", "network": "eip155:84532", "payer": "0x02", "amount": "3000"}
    end = "event: x402-payment-response\ndata: " + base64.b64encode(json.dumps(settled).encode()).decode() + "\n\n"
    body = streaming.ChatBody(prompt="x")

    def check(receipt: Optional[streaming.Receipt], budget: streaming.Budget) -> None:
        assert receipt is not None and (receipt.settled, receipt.charged, receipt.transaction) == (True, "0.003", "0x01")
        assert budget.spent == "0.003"

    budget = streaming.Budget("1", "1")
    chat = streaming.Client(streaming.MockPayer(), budget, transport=metered(end))
    paid = chat.chat(body=body)
    assert paid.receipt is not None and (paid.receipt.settled, budget.spent) == (False, "0.05")
    assert [event.text for event in paid.value] == ["a"]
    check(paid.receipt, budget)
    budget = streaming.Budget("1", "1")
    later = streaming.AsyncClient(streaming.MockPayer(), budget, transport=metered(end))
    answer = await later.chat(body=body)
    assert [event.text async for event in answer.value] == ["a"]
    check(answer.receipt, budget)
    await later.aclose()

    problem = 'event: x402-problem\ndata: {"code":"rate_limited","charged":false,"action":"wait"}\n\n'
    lost = streaming.Client(streaming.MockPayer(), budget, transport=metered(problem))
    events = lost.chat(body=body).value
    assert next(events).text == "a"
    try:
        next(events)
    except streaming.RateLimitedError as error:
        assert (error.status, error.charged, error.action) == (500, False, "wait")
        assert error.receipt is not None and error.receipt.amount == "0.05"
    else:
        raise AssertionError("nothing was raised")


def requests_have_the_shapes_that_the_document_says() -> None:
    g = openapi_shapes
    sent: list[httpx.Request] = []
    answers = [httpx.Response(200, content=b'{"id":1}')]

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(answers[-1].status_code, content=answers[-1].content)

    def line() -> str:
        return f"{sent[-1].method} {str(sent[-1].url)[25:]}"

    client = g.Client(g.MockPayer(), g.Budget("1", "1"), transport=httpx.MockTransport(handle))
    job = client.cancel_job(id=7, options=g.CallOptions(headers={"authorization": "Bearer x"}))
    assert job.value is not None and job.value.id == 1
    assert (line(), sent[-1].headers["authorization"]) == ("POST /jobs/7:cancel", "Bearer x")
    client.compare(base="a/b", head="c")
    assert line() == "GET /compare/a%2Fb...c?beta=true"
    assert code(lambda: client.compare(base="..", head="c")) == "invalid_argument"
    for name in ["a b", "", "a:b", "a\r\nb", "\u00e9"]:
        assert code(lambda: client.compare(base="b", head="c", options=g.CallOptions(headers={name: "1"}))) == "invalid_argument", name
    found = code(
        lambda: client.find(
            tags=["x", "y"], ids=[1, 2], short=["a", "b"], piped=["c", "d"], range=g.Range(gt=3, in_=["p", "q"]),
            page=g.FindPage(offset=4), filter=g.Range(gt=5), x_trace=["t", "u"],
        )
    )
    assert found == "unexpected_answer", "an object is no list"
    query = "filter=%7B%22gt%22%3A5%7D&ids=1&ids=2&offset=4&piped=c%7Cd&range%5Bgt%5D=3&range%5Bin%5D=p&range%5Bin%5D=q&short=a%2Cb"
    assert line() == "GET /find/x%2Cy?" + query
    assert sent[-1].headers["x-trace"] == "t,u"
    client.charge(body=g.ChargeBody(amount=5, card=g.ChargeBodyCard(name="n&m"), expand=["a b", "c"]))
    assert sorted(sent[-1].content.split(b"&")) == [b"amount=5", b"card%5Bname%5D=n%26m", b"expand=a%20b", b"expand=c"]
    assert sent[-1].headers["content-type"] == "application/x-www-form-urlencoded"
    client.upload(body=g.Parts().text("purpose", "x402-part-0").file("file", 'a"b.txt', "text/plain", b"hello"))
    assert sent[-1].headers["content-type"] == "multipart/form-data; boundary=x402-part-1"
    assert sent[-1].content == (
        b'--x402-part-1\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nx402-part-0\r\n'
        b'--x402-part-1\r\nContent-Disposition: form-data; name="file"; filename="a%22b.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
        b"--x402-part-1--\r\n"
    )
    client.patch_files(body=g.Range(gt=1))
    assert (sent[-1].headers["content-type"], sent[-1].content) == ("application/merge-patch+json", b'{"gt":1}')
    raw = client.raw("OPTIONS", "/files?x=1", options=g.CallOptions(headers={"x-a": "b"}))
    assert (line(), sent[-1].headers["x-a"], raw.value.content) == ("OPTIONS /files?x=1", "b", b'{"id":1}')
    assert code(lambda: client.raw("GET", ".evil.example/")) == "invalid_argument"
    charges = g.Client(g.MockPayer(), g.Budget("1", "1"), transport=sells(example, "1", lambda request: httpx.Response(200)))
    assert code(lambda: charges.raw("GET", "/dear")) == "price_above_contract"
    answers.append(httpx.Response(204))
    assert client.cancel_job(id=7).value is None


def values_survive_json() -> None:
    def same(module: Any, ty: Any, text: str) -> None:
        adapter = module.TypeAdapter(ty)
        again = adapter.dump_json(adapter.validate_json(text), by_alias=True, exclude_unset=True)
        assert json.loads(again) == json.loads(text), again

    same(optional_nullable, optional_nullable.Record, '{"a":"x","c":null,"d":null,"e":{"x":[1,null]},"i":null,"j":null}')
    same(unions, unions.Shape, '{"kind":"circle","radius":1.5}')
    same(unions, unions.Shape, '{"kind":"hexagon","sides":[6]}')
    same(unions, unions.Result2, '{"id":7,"shape":[{"kind":"none"},{"kind":"new"}],"level":"middle","pet":{"petType":"c","lives":9}}')
    same(unions, unions.Result2, '{"id":"7","shape":{"kind":"square","side":2.5,"label":3},"level":"low"}')
    same(recursion, recursion.Json2, '{"a":[1.5,"x",true,null,{"b":[]}]}')
    same(recursion, recursion.Nested, "[[],[[]]]")
    same(recursion, recursion.Tree, '{"value":1,"children":[],"left":{"value":2,"children":[{"value":3,"children":[]}]},"right":null}')
    same(maps, maps.Bag, '{"name":"n","x":"y","nested":{"a":{"b":[{"n":1,"more":true}]}}}')
    same(collisions, collisions.Item2, '{"a":1,"A":2,"a_":3,"a-":4,"a1":5,"1a":6}')
    assert unions.Circle(radius=1).model_dump(by_alias=True, exclude_unset=True) == {"kind": "circle", "radius": 1.0}


if __name__ == "__main__":
    quotes_are_what_the_document_says()
    a_call_is_paid_once_within_its_budget()
    refusals_have_names()
    asyncio.run(who_was_not_reached_and_why_is_told_without_a_header())
    the_same_payment_is_presented_again()
    asyncio.run(the_async_client_does_the_same())
    pages_stop_at_their_cap()
    parameters_may_have_any_name()
    what_keeps_a_client_from_paying_has_the_same_name_in_every_language()
    a_page_that_names_no_next_one_was_paid_all_the_same()
    what_a_refusal_says_is_read_with_care()
    each_way_to_pay_has_its_own_payee()
    streams_are_read_as_they_come()
    events_end_at_empty_lines_wherever_parts_end()
    an_event_that_never_ends_is_given_up()
    asyncio.run(an_answer_without_an_end_is_given_up())
    what_was_paid_for_and_is_not_what_the_document_says_is_not_lost()
    a_server_that_fails_without_a_word_is_asked_again_with_the_same_payment()
    asyncio.run(the_end_of_a_stream_is_about_its_payment())
    requests_have_the_shapes_that_the_document_says()
    values_survive_json()
    assert len(hostile.ENDPOINTS) > 20
    print("done")
