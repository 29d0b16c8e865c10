// Makes the code that draws the charts: one file, named after what it holds, and compressed as a browser takes it.
// Its hash goes among those of the page's other files.
//
//     node build.mjs DIRECTORY HASHES
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [directory, hashes] = process.argv.slice(2);
const { outputFiles } = await build({
  entryPoints: [join(import.meta.dirname, "entry.js")],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  // The licences stay with the code.
  legalComments: "eof",
  write: false,
});
const code = outputFiles[0].contents;
const hash = createHash("sha256").update(code).digest("base64url").slice(0, 22);
const file = join(directory, `echarts.${hash}.js`);
writeFileSync(file, code);
writeFileSync(`${file}.gz`, gzipSync(code, { level: 9 }));
writeFileSync(`${file}.br`, brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
appendFileSync(hashes, `echarts: ${hash}\n`);
