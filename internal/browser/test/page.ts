// Runs in a page: our client, for tests to drive.
import { type Client, createClient, type Options } from "../../../clients/typescript/src/index.js";

declare global {
  interface Window {
    /** Makes the client of this page. */
    begin(options: Options): void;
    client: Client;
    /** Every status that the page has been in, with the reason. */
    states: string[];
  }
}

window.begin = (options) => {
  window.states = [];
  window.client = createClient(options);
  window.client.onChange(({ status, reason }) => {
    const state = reason ? `${status}: ${reason}` : status;
    if (window.states.at(-1) !== state) window.states.push(state);
  });
};
