import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { usePathname } from "@/lib/navigation";
import { HomePage } from "@/pages/home";
import { LoginPage } from "@/pages/login";
import "@/styles.css";

function App() {
  return usePathname() === "/login" ? <LoginPage /> : <HomePage />;
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
