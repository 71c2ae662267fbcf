"""A chat with the model behind the gateway, in Streamlit."""

from __future__ import annotations

import os

import gateway
import streamlit as st

st.title(os.environ.get("MOORAGE_TITLE", "Chat"))
talk = st.session_state.setdefault("talk", [])
for one in talk:
    st.chat_message(one["role"]).markdown(one["content"])

if message := st.chat_input("Say something"):
    talk.append({"role": "user", "content": message})
    st.chat_message("user").markdown(message)
    shown = st.chat_message("assistant").empty()
    text = ""
    for text in gateway.growing(gateway.chat(talk)):
        shown.markdown(text)
    talk.append({"role": "assistant", "content": text})
