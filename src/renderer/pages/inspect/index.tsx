export default function InspectPage() {
  return null;
}
