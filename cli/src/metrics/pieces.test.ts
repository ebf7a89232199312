import { expect, it } from "vitest";
import { piecesOf, type Piece } from "./pieces.ts";

async function cut(text: string, size: number): Promise<{ pieces: Piece[]; isWhole: boolean }> {
  async function* lines() {
    yield* text.trimEnd().split("\n");
  }
  const pieces: Piece[] = [];
  const cutting = piecesOf(lines(), size);
  for (;;) {
    const { done, value } = await cutting.next();
    if (done) return { pieces, isWhole: value.isWhole };
    pieces.push(value);
  }
}

const TEXT = `# TYPE a counter
# HELP a About a.
a_total{i="1"} 1 1
a_total{i="2"} 2 2
a_total{i="3"} 3 3
# TYPE b gauge
b 1 1
# EOF
`;

it("a text is cut at ends of lines, and what is known of a family is repeated", async () => {
  const { pieces, isWhole } = await cut(TEXT, 60);
  expect(pieces.map(({ text }) => text)).toEqual([
    '# TYPE a counter\n# HELP a About a.\na_total{i="1"} 1 1\na_total{i="2"} 2 2\n# EOF\n',
    '# TYPE a counter\n# HELP a About a.\na_total{i="3"} 3 3\n# TYPE b gauge\nb 1 1\n# EOF\n',
  ]);
  expect(isWhole).toBe(true);
  expect([pieces[0]?.lineOf(3), pieces[1]?.lineOf(3), pieces[1]?.lineOf(5)]).toEqual([3, 5, 7]);
});

it("a text that is cut off, or goes on behind its end, is not whole", async () => {
  expect((await cut("a 1 1\n", 60)).isWhole).toBe(false);
  expect((await cut("a 1 1\n# EOF\nb 1 1\n", 60)).isWhole).toBe(false);
  expect(await cut("# EOF\n", 60)).toEqual({ pieces: [], isWhole: true });
});
