const stated = document.querySelector<HTMLMetaElement>('meta[name="auth-url"]')?.content;

/** Where the issuer is: at this page's own origin unless the server says otherwise. */
export const authURL = stated || location.origin;
