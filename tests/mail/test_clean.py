"""What a customer wrote is not taken for a disclaimer, a footer, a signature or a quotation, and what is one still goes."""

from __future__ import annotations

import pytest

from reclamo.mail.clean import clean_body

KEPT = [
    "Muchas gracias\nOtra semana sin internet\nNadie llama\nSois unos ladrones",
    "Saludos,\nllevo un mes sin luz\nnadie contesta",
    "Buona giornata,\nvoglio il rimborso\nsubito",
    "Ευχαριστώ πολύ\nτρίτη φορά χωρίς ρεύμα\nκανείς δεν απαντά",
    "Hola,\n\nDe acuerdo con la factura 33 me han cobrado por error 40 euros y exijo que me los devuelvan.",
    "Hola\n\nEste mensaje es una queja formal. Me cobraron por error dos veces.",
    "Buongiorno\n\nAi sensi del Codice del Consumo chiedo il rimborso di quanto addebitato per errore.",
    "Καλησπέρα\n\nΑυτό το email είναι το τρίτο που στέλνω, με χρεώσατε κατά λάθος.",
    "Hola\n\nDe acuerdo con el RGPD solicito que borren todos mis datos.",
    "Hola\n\nPor favor, considere devolverme el dinero de la cuota.",
    "Hola\n\nSi no quiere recibir una hoja de reclamaciones, llámeme hoy.",
    "Hola\n\nCancelar la suscripción.",
    "Γεια σας\n\nΣτάλθηκε με courier το κινητό και ακόμα δεν ήρθε",
    "Hola\n\nEnviado por mensajero el móvil a reparar y sin noticias",
    "Quiero darme de baja.\n\nNombre: Ana Ruiz\nTeléfono: 600 123 456\nDNI: 12345678Z",
    "Nombre: Ana Ruiz\nTeléfono: 600 123 456\nDirección:\nCalle Mayor 3, 28001 Madrid\n\nAna Ruiz",
    "Nombre: Ana Ruiz\nEl pedido no ha llegado y nadie contesta.",
    "Nombre: me da igual cuál, pero que alguien conteste\nEmail: sin respuesta desde hace un mes\nTeléfono: siempre comunica",
    "De: Madrid\nTeléfono: 600 123 456\n\nEl tren no salió y nadie avisó.",
]
CUT = [
    ("No funciona.\n\nGracias\nAna Pérez", "No funciona.\n\nGracias"),
    ("No funciona.\n\nUn saludo,\nJuan\n\nEnviado desde mi iPhone", "No funciona."),
    ("No funciona.\n\nEnviado desde mi teléfono móvil", "No funciona."),
    ("Δεν δουλεύει.\n\nΣτάλθηκε από το κινητό μου", "Δεν δουλεύει."),
    ("Non va.\n\nInviato dal mio cellulare", "Non va."),
    ("No va.\n\nEste mensaje es confidencial. Si lo ha recibido por error, elimínelo.", "No va."),
    ("No va.\n\nSi ha recibido este correo por error, bórrelo.", "No va."),
    ("Non va.\n\nSe avete ricevuto questo messaggio per errore, cancellatelo.", "Non va."),
    ("No va.\n\nSi no desea recibir más correos, pulse aquí", "No va."),
    ("Gracias\nAna", "Gracias"),
    (
        "No funciona nada.\n--\nLlevo un mes llamando y nadie me contesta nunca.\nQuiero mi dinero ya.",
        "No funciona nada.\nLlevo un mes llamando y nadie me contesta nunca.\nQuiero mi dinero ya.",
    ),
    (
        "Nueva solicitud desde la web\n\nDe: Ana <ana@x.es>\nAsunto: Avería\nFecha: 3/5/2026\n\nMensaje: Llevo un mes esperando.",
        "Nueva solicitud desde la web\n\nMensaje: Llevo un mes esperando.",
    ),
    ("Nombre: Ana Ruiz\nEmail: ana@x.example\nTeléfono: 600 123 456\n\nNo funciona.\nNadie contesta.", "No funciona.\nNadie contesta."),
    ("*Nombre*: Ana\n\n*E-mail*: a@x.example\n\n*Teléfono*:\n\nNo funciona el pedido 123456789.", "No funciona el pedido 123456789."),
    ("Nombre:\nAna Ruiz\nCorreo electrónico:\na@x.example\nTeléfono:\n+34 600 123 456\nNo me llega nada.", "No me llega nada."),
    ("Tu nombre: ana\nTu correo electrónico (obligatorio): a@x.example\nAsunto: Avería\n\nNo va.", "Asunto: Avería\n\nNo va."),
    ("Ονοματεπώνυμο: Άννα Ράπτη\nΤΗΛΕΦΩΝΟ: 6971234567\nΤ.Κ.: 11523\n\nΔεν λειτουργεί.\n\nΆννα", "Δεν λειτουργεί.\n\nΆννα"),
    ("Nome e cognome: Anna Rossi\nCellulare: 333 1234567\nOrdine: 12\nNon parte.", "Ordine: 12\nNon parte."),
    (
        "Mensaje enviado desde el formulario de contacto:\n\nNombre: Ana\nEmail: a@x.example\nMensaje: No va nada bien.\n\nGracias",
        "Mensaje enviado desde el formulario de contacto:\n\nMensaje: No va nada bien.\n\nGracias",
    ),
]


@pytest.mark.parametrize("text", KEPT)
def test_what_the_customer_says_stays(text: str) -> None:
    assert clean_body(text).text == text


@pytest.mark.parametrize(("text", "left"), CUT)
def test_what_nobody_wrote_to_be_read_goes(text: str, left: str) -> None:
    assert clean_body(text).text == left
