// A TCP line to a server that the test can cut and mend.
import { connect, createServer } from 'node:net';

export class Line {
  #server;
  #sockets = new Set();
  #whole = true;

  /** A line to the server at the URL, itself at `line.url`. */
  static async to(target) {
    const { hostname, port } = new URL(target);
    const line = new Line();
    line.#server = createServer((near) => {
      if (!line.#whole) return near.destroy();
      const far = connect(Number(port), hostname);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ]) {
        line.#sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          line.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await new Promise((resolve) => line.#server.listen(0, '127.0.0.1', resolve));
    line.url = `http://127.0.0.1:${line.#server.address().port}`;
    return line;
  }

  cut() {
    this.#whole = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#whole = true;
  }

  close() {
    this.cut();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}
