"""Where the judges differ, as Markdown table rows."""


def differences(entries):
    for entry in entries:
        for judge, found in entry["others"].items():
            if "error" in found:
                yield f"| {entry['name']} | {judge} | refuses: {found['error']} |"
            elif found and not entry["ulps"]:
                name, (lanes, *rest) = next(iter(found.items()))
                seen = f"lane {rest[0]} is {rest[1]}, {entry['judge']} has {rest[2]}" if rest else "untouched"
                yield f"| {entry['name']} | {judge} | {len(found)} outputs; `{name}`: {lanes} lanes, {seen} |"
