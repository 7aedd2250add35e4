// What the Expo plugin needs of React Native, on a phone whose app is in the foreground.
export const Platform = { OS: "ios" };

export const AppState = { addEventListener: () => ({ remove: () => {} }) };
