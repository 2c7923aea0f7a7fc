"""Makes planned calls with generated clients, and prints a line of JSON for each."""

import asyncio
import importlib
import inspect
import json
import os
import typing
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from eth_account import Account
from pydantic import TypeAdapter


def setting(name: str) -> str:
    """A value that the test must give."""
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} must be set")
    return value


def methods(client: type) -> tuple[list, list]:
    """The methods of a client in the order of its endpoints, and those for all pages."""
    own = [method for name, method in vars(client).items() if not name.startswith("_") and name not in ("close", "aclose", "raw")]
    pages = [method for method in own if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method)]
    return [method for method in own if method not in pages], pages


def parts(module, all: list):
    """The parts of a body: texts by their names, and files by their names with file name, media type and bytes."""
    made = module.Parts()
    for name, text, *file in all:
        made = made.file(name, text, file[0], bytes(file[1])) if file else made.text(name, text)
    return made


def given(module, method, call) -> dict:
    """The arguments of a method, made as its annotations say."""
    found = {}
    names = [name for name in inspect.signature(method, eval_str=True).parameters.items() if name[0] not in ("self", "options", "cap")]
    for (name, parameter), values in zip(names, call["arguments"], strict=True):
        for value in values:
            last = name == names[-1][0]
            if call["parts"] and last:
                found[name] = parts(module, value)
            elif call["bytes"] and last:
                found[name] = bytes(value)
            else:
                found[name] = TypeAdapter(parameter.annotation).validate_python(value)
    return found


def plain(value, ty):
    """An answer as JSON, by its type."""
    if isinstance(value, bytes):
        return list(value)
    return json.loads(TypeAdapter(ty).dump_json(value, by_alias=True, exclude_unset=True))


def receipt(paid):
    """What was paid."""
    if paid is None:
        return None
    named = {"amount": paid.amount, "charged": paid.charged, "network": paid.network, "asset": paid.asset}
    return named | {"payTo": paid.pay_to, "transaction": paid.transaction}


async def answers(method, client, arguments: dict):
    """One answer, or one for each page, of a client of either kind."""
    made = method(client, **arguments)
    if inspect.isasyncgen(made):
        async for page in made:
            yield page
    elif inspect.isgenerator(made):
        for page in made:
            yield page
    else:
        yield await made if inspect.isawaitable(made) else made


async def whole(value, ty):
    """An answer as JSON; of a stream, all of its events."""
    if isinstance(value, AsyncIterator):
        return [plain(event, typing.get_args(ty)[0]) async for event in value]
    if isinstance(value, Iterator):
        return [plain(event, typing.get_args(ty)[0]) for event in value]
    return plain(value, ty)


async def made(module, client, call) -> dict:
    """Makes one call and tells what came of it."""
    singles, pages = methods(type(client))
    single = singles[call["endpoint"]]
    name = single.__name__
    assert module.ENDPOINTS[call["endpoint"]].id == call["id"], name
    said = {"values": [], "receipts": [], "error": None}
    try:
        arguments = given(module, single, call)
        quote = getattr(module.Quotes, name)(**arguments)
        # Of an exact price, least and most are the same.
        least = quote.least if quote.kind == "within" else None
        said["quote"] = {"kind": quote.kind, "least": least, "most": quote.most}
        method = single
        if call["cap"] is not None:
            method = next(method for method in pages if method.__name__.startswith(name))
            arguments["cap"] = call["cap"].split(" ")[0]
        if call["headers"]:
            arguments["options"] = module.CallOptions(headers=call["headers"])
        paid = inspect.signature(single, eval_str=True).return_annotation
        (ty,) = paid.__pydantic_generic_metadata__["args"] if hasattr(paid, "__pydantic_generic_metadata__") else typing.get_args(paid)
        async for answer in answers(method, client, arguments):
            said["values"].append(await whole(answer.value, ty))
            said["receipts"].append(receipt(answer.receipt))
    except Exception as error:
        said["error"] = {
            "code": getattr(error, "code", type(error).__name__),
            "text": f"{error} {error.__cause__}",
            "charged": getattr(error, "charged", None),
            "receipt": receipt(getattr(error, "receipt", None)),
        }
    return said


async def main() -> None:
    """Makes all calls, every second one with the client for asyncio."""
    account = Account.from_key(Path(setting("PEER_KEY_FILE")).read_text().strip())
    for plan in json.loads(Path(setting("PEER_PLAN")).read_text()):
        module = importlib.import_module("clients." + plan["name"])
        payer, budget = module.evm_payer(account), module.Budget("900", "900")
        both = [kind(payer, budget, base=plan["origin"]) for kind in (module.Client, module.AsyncClient)]
        for call in plan["calls"]:
            said = await made(module, both[call["number"] % 2], call)
            print(json.dumps({"case": plan["name"], "call": call["number"], **said}), flush=True)
        both[0].close()
        await both[1].aclose()


asyncio.run(main())
