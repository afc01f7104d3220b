// Uploads a file with tus-js-client, as a client would:
//   node upload.mjs ENDPOINT TOKEN FILE CHUNK [--resume URL] [--die AFTER]
// It prints JSON lines. With --die it kills itself, as a crash would, when so
// many bytes are accepted; --resume goes on with what such a death left.
import { readFileSync, writeSync } from "node:fs";
import { Upload } from "tus-js-client";

const [endpoint, token, file, chunk, ...options] = process.argv.slice(2);
const option = (name) => (options.includes(name) ? options[options.indexOf(name) + 1] : null);
const say = (what) => writeSync(1, JSON.stringify(what) + "\n");

const upload = new Upload(readFileSync(file), {
  endpoint,
  uploadUrl: option("--resume"),
  chunkSize: Number(chunk),
  retryDelays: [100, 300, 1000],
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: "录音.wav", filetype: "audio/wav" },
  onUploadUrlAvailable: () => say({ url: upload.url }),
  onChunkComplete: (_size, accepted) => {
    say({ accepted });
    if (option("--die") && accepted >= Number(option("--die"))) process.kill(process.pid, "SIGKILL");
  },
  onSuccess: ({ lastResponse }) => say({ id: lastResponse.getHeader("File-Id"), receipt: lastResponse.getHeader("File-Receipt") }),
  onError: (error) => {
    say({ status: error.originalResponse?.getStatus(), body: error.originalResponse?.getBody(), error: String(error.message) });
    process.exit(1);
  },
});
upload.start();
