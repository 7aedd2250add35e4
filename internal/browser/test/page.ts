// Runs in a page: our client, for tests to drive.
import { type Client, createClient, type Options } from "../../../clients/typescript/src/index.js";

declare global {
  interface Window {
    /** Makes the client of this page. With stored, the tabs share a refresh token in the local storage. */
    begin(options: Options & { stored?: boolean }): void;
    client: Client;
    /** Every status that the page has been in, with the reason. */
    states: string[];
  }
}

const storage = {
  get: async (key: string) => localStorage.getItem(key),
  set: async (key: string, value: string) => localStorage.setItem(key, value),
  remove: async (key: string) => localStorage.removeItem(key),
};

window.begin = ({ stored, ...options }) => {
  window.states = [];
  window.client = createClient({ ...options, ...(stored && { storage }) });
  window.client.onChange(({ status, reason }) => {
    const state = reason ? `${status}: ${reason}` : status;
    if (window.states.at(-1) !== state) window.states.push(state);
  });
};
